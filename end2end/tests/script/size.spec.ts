import { get, type IncomingMessage } from 'node:http';

import { expectPhase, makeRun, uniqueName } from '../../support/pages.ts';
import { expect, test } from '../../support/test.ts';

/** Asks as a browser does that can read brotli. */
async function head(url: string): Promise<IncomingMessage['headers']> {
  return await new Promise((resolve, reject) => {
    get(url, { headers: { 'accept-encoding': 'br' } }, (response) => {
      response.resume();
      resolve(response.headers);
    }).on('error', reject);
  });
}

test('scripts and WASM are less than 80 kB on the wire', async ({ page, request }) => {
  const run = await makeRun(request, { name: uniqueName('Size'), code: 'print(1)' });
  const scripts = new Set<string>();
  page.on('response', (response) => {
    if (/javascript|wasm/.test(response.headers()['content-type'] ?? '')) {
      scripts.add(response.url());
    }
  });
  await page.goto(run.path);
  await expectPhase(page, 'Succeeded');
  await expect.poll(() => [...scripts].some((url) => url.endsWith('.wasm'))).toBe(true);
  const sizes: Record<string, number> = {};
  for (const url of scripts) {
    const headers = await head(url);
    expect(headers['content-encoding'], url).toBe('br');
    expect(headers['cache-control'], url).toMatch(/max-age/);
    sizes[new URL(url).pathname] = Number(headers['content-length']);
  }
  const total = Object.values(sizes).reduce((sum, size) => sum + size, 0);
  expect(total, JSON.stringify(sizes)).toBeGreaterThan(1000);
  expect(total, JSON.stringify(sizes)).toBeLessThan(80_000);
});
