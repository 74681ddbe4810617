import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

import { makeRun, uniqueName } from '../../support/pages.ts';
import { expect, test } from '../../support/test.ts';

test('a page of another site can neither start a run nor read a log', async ({ page, request, baseURL, problems }) => {
  problems.expectStatus(400, 403);
  problems.expect(/WebSocket connection to .* failed/);
  const name = uniqueName('Planted');
  const run = await makeRun(request, { name: uniqueName('Private'), code: 'print("secret")' });
  const site = createServer((_, response) => {
    response.setHeader('content-type', 'text/html');
    response.end(`<form method="post" action="${baseURL}/tasks/new" enctype="multipart/form-data">
      <input name="name" value="${name}"><input name="code" value="print(1)"><button name="intent" value="save_and_run">Go</button></form>`);
  });
  site.listen(0, '127.0.0.1');
  await once(site, 'listening');
  try {
    const address = `http://127.0.0.1:${(site.address() as AddressInfo).port}/`;
    await page.goto(address);
    const socket = await page.evaluate(async (url) => {
      return await new Promise<string>((resolve) => {
        const socket = new WebSocket(url);
        socket.onmessage = () => resolve('message');
        socket.onerror = () => resolve('refused');
      });
    }, `${baseURL?.replace('http', 'ws')}${run.path}/log/socket?from=1`);
    expect(socket).toBe('refused');

    const answer = page.waitForResponse((response) => response.request().method() === 'POST');
    await page.getByRole('button', { name: 'Go' }).click();
    expect((await answer).status()).toBe(403);
    await page.goto(`${baseURL}/tasks?q=${encodeURIComponent(name)}`);
    await expect(page.getByText('No task matches')).toBeVisible();
  } finally {
    site.close();
  }
});

test('pages allow no foreign scripts, frames or forms', async ({ request }) => {
  const policy = (await request.get('/tasks')).headers()['content-security-policy'] ?? '';
  expect(policy).toContain("default-src 'none'");
  expect(policy).toContain("frame-ancestors 'none'");
  expect(policy).toContain("form-action 'self'");
  expect(policy).not.toContain("'unsafe-inline'");
  expect(policy).not.toContain("'unsafe-eval'");
});
