import { get, type IncomingMessage } from 'node:http';

import type { Page } from '@playwright/test';

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

/** What the page loads of scripts and WASM, in bytes on the wire. */
async function weight(page: Page, address: string): Promise<number> {
  const scripts = new Set<string>();
  page.on('response', (response) => {
    if (/javascript|wasm/.test(response.headers()['content-type'] ?? '')) {
      scripts.add(response.url());
    }
  });
  await page.goto(address);
  await expect.poll(() => [...scripts].some((url) => url.endsWith('.wasm'))).toBe(true);
  let total = 0;
  for (const url of scripts) {
    const headers = await head(url);
    expect(headers['content-encoding'], url).toBe('br');
    expect(headers['cache-control'], url).toMatch(/max-age/);
    total += Number(headers['content-length']);
  }
  expect(total, address).toBeGreaterThan(1000);
  return total;
}

for (const [address, limit] of [
  ['/tasks', 40_000],
  ['/flows', 40_000],
  ['/runs', 40_000],
  ['/system', 40_000],
  ['/tasks/new', 130_000],
  ['/flows/new', 130_000],
] as const) {
  test(`scripts and WASM of ${address} are less than ${limit / 1000} kB on the wire`, async ({ page }) => {
    expect(await weight(page, address)).toBeLessThan(limit);
  });
}

test('scripts and WASM of a run are less than 80 kB on the wire', async ({ page, request }) => {
  const run = await makeRun(request, { name: uniqueName('Size'), code: 'print(1)' });
  expect(await weight(page, run.path)).toBeLessThan(80_000);
  await expectPhase(page, 'Succeeded');
});

test('every island of a page is in what the page loads', async ({ page, request }) => {
  const run = await makeRun(request, { name: uniqueName('Islands'), code: 'print(1)' });
  const missing: string[] = [];
  page.on('console', (message) => {
    if (message.text().includes('WASM function')) {
      missing.push(`${page.url()}: ${message.text()}`);
    }
  });
  const task = run.task;
  for (const address of ['/tasks', '/flows', '/runs', '/system', '/tasks/new', '/flows/new', task, `${task}/edit`, run.path]) {
    await page.goto(address);
    await page.waitForLoadState('networkidle');
  }
  expect(missing).toEqual([]);
});
