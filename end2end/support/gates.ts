// Gates hold a Python program at a line until the test lets it go on, so that no test has to guess how long to wait.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export class Gates {
  private readonly directory = mkdtempSync(join(tmpdir(), 'stoker-gates-'));

  /** The beginning of a program that calls `wait("name")`, which goes on by itself when the test is over, or
   * `is_open("name")`. */
  get code(): string {
    return [
      'import os, time',
      `gates = ${JSON.stringify(this.directory)}`,
      'def is_open(name):',
      '    return os.path.exists(os.path.join(gates, name))',
      'def wait(name):',
      '    while os.path.isdir(gates) and not is_open(name):',
      '        time.sleep(0.02)',
      '',
    ].join('\n');
  }

  open(name: string): void {
    writeFileSync(join(this.directory, name), '');
  }

  remove(): void {
    rmSync(this.directory, { recursive: true, force: true });
  }
}
