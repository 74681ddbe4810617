// What takes time at large sizes. The times are printed, and nothing depends on them: machines differ.

import type { Page } from '@playwright/test';

import { expectEditor, expectLive, line, log, makeRun, uniqueName } from '../../support/pages.ts';
import { expect, test } from '../../support/test.ts';

// A trace takes the whole page down again and again: most of what is measured would be that.
test.use({ trace: 'off' });

/** How long something takes in the page, in milliseconds. */
async function timed(page: Page, act: () => Promise<unknown>): Promise<number> {
  const start = Date.now();
  await act();
  await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
  return Date.now() - start;
}

test('a flow of 200 steps is opened, drawn in and dragged', async ({ page, request }, info) => {
  test.setTimeout(120_000);
  const steps = Array.from({ length: 200 }, (_, index) => ({
    id: `s${index}`,
    name: `Step ${index}`,
    pythonCode: 'print(1)\n'.repeat(20),
    position: {},
  }));
  const before = (index: number) => (index < 10 ? [] : [index - 10, index - 9]);
  const edges = steps.flatMap((_, index) => before(index).map((earlier) => ({ id: `${earlier}-${index}`, source: `s${earlier}`, target: `s${index}` })));
  const flow = await request.post('/api/v1/flows', { data: { name: uniqueName('Large'), steps, edges } });
  expect(flow.status(), await flow.text()).toBe(200);
  const { id } = (await flow.json()) as { id: string };
  await page.goto(`/flows/${id}/edit`);
  await expectEditor(page);
  const opened = await page.evaluate(() => {
    const [navigation] = performance.getEntriesByType('navigation') as PerformanceNavigationTiming[];
    return Math.round(performance.now() - (navigation?.responseEnd ?? 0));
  });
  // In the page itself: what drives the browser from outside would take longer than what is measured.
  const { work, frames } = await page.evaluate(async () => {
    const [link, graph] = ['flow-step-5', 'flow-graph'].map((id) => document.getElementById(id));
    const box = link?.querySelector('rect')?.getBoundingClientRect();
    const frame = async () => await new Promise<number>((resolve) => requestAnimationFrame(resolve));
    const median = (numbers: number[]) => Math.round((numbers.sort((a, b) => a - b)[numbers.length >> 1] ?? 0) * 10) / 10;
    const point = (target: Element | null | undefined, type: string, moved: number) => {
      const [clientX, clientY] = [(box?.x ?? 0) + 20 + moved, (box?.y ?? 0) + 20 + moved];
      target?.dispatchEvent(new PointerEvent(type, { bubbles: true, button: 0, buttons: 1, clientX, clientY, isPrimary: true, pointerId: 1, pointerType: 'mouse' }));
    };
    const [work, frames]: number[][] = [[], []];
    point(link, 'pointerdown', 0);
    let last = await frame();
    for (let moved = 0; moved < 90; moved += 1) {
      const start = performance.now();
      point(graph, 'pointermove', moved);
      work?.push(performance.now() - start);
      const now = await frame();
      frames?.push(now - last);
      last = now;
    }
    point(graph, 'pointerup', 90);
    return { work: median(work ?? []), frames: median(frames ?? []) };
  });
  await expect(page.locator('#flow-words')).toHaveText('Moved Step 5.');
  // Until the browser has drawn what a key does.
  const press = async (...keys: string[]) =>
    await page.evaluate(async (keys) => {
      const start = performance.now();
      for (const key of keys) {
        document.activeElement?.dispatchEvent(new KeyboardEvent('keydown', { bubbles: true, key: key.replace('^', ''), ctrlKey: key.startsWith('^') }));
      }
      await new Promise(requestAnimationFrame);
      await new Promise((resolve) => setTimeout(resolve));
      return Math.round(performance.now() - start);
    }, keys);
  await page.locator('#flow-step-0').focus();
  await press('c', 'End');
  const connected = await press('Enter');
  await expect(page.locator('#flow-words')).toHaveText('Connected: Step 199 runs after Step 0.');
  const undone = await press('^z');
  await expect(page.locator('#flow-words')).toHaveText('Undone.');
  const began = Date.now();
  await page.keyboard.press('a');
  await expect(page.locator('#flow-graph').getByRole('link')).toHaveCount(201);
  const numbers = { opened, work, frames, connected, undone, added: Date.now() - began };
  info.annotations.push({ type: 'milliseconds', description: JSON.stringify(numbers) });
  console.log(`200 steps, in milliseconds: ${JSON.stringify(numbers)}`);
});

test('a million lines are opened, searched and gone through', async ({ page, request }, info) => {
  test.setTimeout(180_000);
  const code = 'import sys\nsys.stdout.writelines(f"line {n} of many\\n" for n in range(1, 1_000_001))';
  const run = await makeRun(request, { name: uniqueName('Million'), code });
  await page.goto(run.path);
  await expect(page.locator('#run-summary').getByText('Succeeded', { exact: true })).toBeVisible({ timeout: 120_000 });
  const times: Record<string, number> = {};
  times.open = await timed(page, () => page.goto(run.path, { waitUntil: 'commit' }));
  await expect(log(page).getByText('line 1000000 of many', { exact: true })).toBeInViewport();
  times.middle = await timed(page, () => page.goto(`${run.path}?lines=500000#L500000`, { waitUntil: 'commit' }));
  await expect(line(page, 500_000)).toBeInViewport();
  times.search = await timed(page, () => page.goto(`${run.path}?q=line+77777`, { waitUntil: 'commit' }));
  await expect(page.getByRole('navigation', { name: 'Matches' }).getByRole('status')).toHaveText('1 of 11 lines with a match');
  await expectLive(page);
  times.next = await timed(page, async () => {
    await page.keyboard.press('n');
    await expect(page.getByRole('navigation', { name: 'Matches' }).getByRole('status')).toHaveText('2 of 11 lines with a match');
  });
  expect(await page.locator('#log-lines .line').count()).toBeLessThanOrEqual(5000);
  info.annotations.push({ type: 'milliseconds', description: JSON.stringify(times) });
});
