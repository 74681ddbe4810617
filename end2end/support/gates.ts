// Gates hold a Python program at a line until the test lets it go on, so that no test has to guess how long to wait.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export class Gates {
  private readonly directory = mkdtempSync(join(tmpdir(), 'stoker-gates-'));

  /** The beginning of a program that calls `wait("name")`. It goes on by itself when the test is over. */
  get code(): string {
    return [
      'import os, time',
      'def wait(name):',
      `    gates = ${JSON.stringify(this.directory)}`,
      '    while os.path.isdir(gates) and not os.path.exists(os.path.join(gates, name)):',
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
