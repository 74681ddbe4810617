import type { WebSocketRoute } from '@playwright/test';

import { expectPhase, makeRun, outputLines, uniqueName } from '../../support/pages.ts';
import { expect, test } from '../../support/test.ts';

/** A program that prints line 1 to 30, ten at a time, and waits for a gate before each next ten. */
const TENS = `
for n in range(1, 31):
    print("line", n, flush=True)
    if n % 10 == 0:
        wait(str(n))
`;

const lines = (last: number) => Array.from({ length: last }, (_, index) => `line ${index + 1}`);

test('a server that is killed and comes back loses no line, and the open page goes on', async ({ page, request, gates, ownServer, problems }) => {
  problems.expect(/WebSocket connection to .* failed/, /ERR_CONNECTION_REFUSED/);
  const run = await makeRun(request, { name: uniqueName('Survivor'), code: gates.code + TENS }, ownServer.url);
  await page.goto(ownServer.url + run.path);
  await page.evaluate(() => Object.assign(window, { isMarked: true }));
  await expect(outputLines(page)).toHaveText(lines(10));

  await ownServer.kill();
  gates.open('10');
  await expect(page.getByText(/Connection lost\. Trying again in \d+ s\./)).toBeVisible();
  await ownServer.launch();

  await expect(outputLines(page)).toHaveText(lines(20), { timeout: 20_000 });
  await expectPhase(page, 'Running');
  gates.open('20');
  await expect(outputLines(page)).toHaveText(lines(30));
  gates.open('30');
  await expectPhase(page, 'Succeeded');
  expect(await page.evaluate(() => 'isMarked' in window), 'the page was not loaded again').toBe(true);
  await page.reload();
  await expect(outputLines(page)).toHaveText(lines(30));
});

test('a connection that breaks is made again, and each line comes once', async ({ page, request, gates }) => {
  const run = await makeRun(request, { name: uniqueName('Broken line'), code: gates.code + TENS });
  const sockets: WebSocketRoute[] = [];
  await page.routeWebSocket(/\/log\/socket/, (socket) => {
    socket.connectToServer();
    sockets.push(socket);
  });
  await page.goto(run.path);
  await expect(outputLines(page)).toHaveText(lines(10));
  for (const [index, gate] of ['10', '20'].entries()) {
    await expect.poll(() => sockets.length).toBe(index + 1);
    await sockets[index]?.close({ code: 4000, reason: 'broken by the test' });
    gates.open(gate);
    await expect(outputLines(page)).toHaveText(lines(10 * (index + 2)));
  }
  gates.open('30');
  await expectPhase(page, 'Succeeded');
  await expect(page.locator('#log-words', { hasText: 'End of the log.' })).toBeVisible();
  await expect(outputLines(page)).toHaveText(lines(30));
});

test('a page that was offline catches up', async ({ page, context, request, gates, problems }) => {
  problems.expect(/WebSocket connection to .* failed/, /ERR_INTERNET_DISCONNECTED/);
  const run = await makeRun(request, { name: uniqueName('Offline'), code: gates.code + TENS });
  await page.goto(run.path);
  await expect(outputLines(page)).toHaveText(lines(10));
  await context.setOffline(true);
  gates.open('10');
  gates.open('20');
  await context.setOffline(false);
  gates.open('30');
  await expect(outputLines(page)).toHaveText(lines(30));
  await expectPhase(page, 'Succeeded');
});
