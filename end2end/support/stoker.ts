// A Stoker of a test's own: the release binary on a free port, with a data directory that goes away with it.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { access, mkdtemp, rm } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const BINARY = resolve(import.meta.dirname, process.env.STOKER_BIN ?? '../../target/release/stoker');

/** Packages of our own instead of nixpkgs, in a store of each server's own: no network, and /nix is left alone. */
const OWN_PACKAGES = {
  STOKER_NIX: 'own',
  STOKER_NIXPKGS: `path:${resolve(import.meta.dirname, '../../server/tests/fixtures/packages')}`,
  NIX_CONFIG: 'substituters =',
};

/** Then it is the pods' Nix, and whoever runs the tests says where its packages come from. */
const isInCluster = process.env.STOKER_ENGINE === 'argo';

export class Stoker {
  readonly url: string;
  /** What the server has printed, for the report of a failed test. */
  output = '';
  private process: ChildProcess | undefined;

  private constructor(
    private readonly data: string,
    private readonly port: number,
  ) {
    this.url = `http://127.0.0.1:${port}`;
  }

  static async start(): Promise<Stoker> {
    await access(BINARY).catch(() => {
      throw new Error(`There is no ${BINARY}. Build it first, or set STOKER_BIN.`);
    });
    const stoker = new Stoker(await mkdtemp(join(tmpdir(), 'stoker-e2e-')), await freePort());
    await stoker.launch();
    return stoker;
  }

  /** Starts the server, again on the same data and port after `kill`. */
  async launch(): Promise<void> {
    const process = spawn(BINARY, ['serve', '--data', this.data, '--addr', `127.0.0.1:${this.port}`], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...globalThis.process.env, ...(isInCluster ? {} : OWN_PACKAGES) },
    });
    this.process = process;
    const keep = (chunk: Buffer) => (this.output = (this.output + chunk).slice(-100_000));
    process.stdout.on('data', keep);
    process.stderr.on('data', keep);
    const deadline = Date.now() + 20_000;
    while (!(await this.isHealthy())) {
      if (process.exitCode !== null || Date.now() > deadline) {
        throw new Error(`The server did not start:\n${this.output}`);
      }
      await new Promise((wake) => setTimeout(wake, 25));
    }
  }

  /** Ends the server as a crash would: at once, with nothing put in order. */
  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    const process = this.process;
    this.process = undefined;
    if (process && process.exitCode === null && process.signalCode === null) {
      const exited = once(process, 'exit');
      process.kill(signal);
      const force = setTimeout(() => process.kill('SIGKILL'), 5_000);
      await exited;
      clearTimeout(force);
    }
  }

  async stop(): Promise<void> {
    await this.kill('SIGTERM');
    await rm(this.data, { recursive: true, force: true, maxRetries: 5 });
  }

  private async isHealthy(): Promise<boolean> {
    try {
      return (await fetch(`${this.url}/healthz`)).status === 200;
    } catch {
      return false;
    }
  }
}

async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
