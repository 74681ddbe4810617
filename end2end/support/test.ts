// `test` with a running Stoker, gates for programs, and an eye on what the browser complains about.

import { test as base, expect } from '@playwright/test';

import { Gates } from './gates.ts';
import { Problems } from './problems.ts';
import { Stoker } from './stoker.ts';

interface TestFixtures {
  /** Holds programs at a line. */
  gates: Gates;
  /** What the browser complained about. */
  problems: Problems;
  /** A server for this test alone, which the test's addresses then mean: with no tasks, and free to be killed. */
  ownServer: Stoker;
  serverOutput: void;
}

interface WorkerFixtures {
  /** The server that the tests of a worker share. */
  server: Stoker;
}

export const test = base.extend<TestFixtures, WorkerFixtures>({
  server: [
    async ({}, use) => {
      const server = await Stoker.start();
      await use(server);
      await server.stop();
    },
    { scope: 'worker', timeout: 40_000 },
  ],

  ownServer: async ({ context }, use, info) => {
    const server = await Stoker.start();
    await use(server);
    await attachOutput(server, info);
    // A page that is still open would ask a server that is gone.
    await Promise.all(context.pages().map(async (page) => await page.close()));
    await server.stop();
  },

  baseURL: async ({ server }, use) => {
    await use(server.url);
  },

  gates: async ({}, use) => {
    const gates = new Gates();
    await use(gates);
    gates.remove();
  },

  problems: [
    async ({ context }, use) => {
      const problems = new Problems(context);
      await use(problems);
      expect(problems.unexpected, 'what the browser complained about').toEqual([]);
    },
    { auto: true },
  ],

  serverOutput: [
    async ({ server }, use, info) => {
      await use();
      await attachOutput(server, info);
    },
    { auto: true },
  ],
});

async function attachOutput(server: Stoker, info: ReturnType<typeof base.info>): Promise<void> {
  if (info.status !== info.expectedStatus) {
    await info.attach('server.log', { body: server.output, contentType: 'text/plain' });
  }
}

export { expect };
