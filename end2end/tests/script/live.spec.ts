import type { Page } from '@playwright/test';

import { expectPhase, fill, line, log, makeRun, outputLines, saveAndRun, uniqueName } from '../../support/pages.ts';
import { expect, test } from '../../support/test.ts';

/** Marks the document, to see later that it is still the same one. */
async function mark(page: Page): Promise<void> {
  await page.evaluate(() => Object.assign(window, { isMarked: true }));
}

async function expectSameDocument(page: Page): Promise<void> {
  expect(await page.evaluate(() => 'isMarked' in window), 'the page was not loaded again').toBe(true);
}

test('lines, phase and title change in the open page', async ({ page, gates }) => {
  const name = uniqueName('Live');
  await page.goto('/tasks/new');
  await fill(page, {
    name,
    code: `${gates.code}print("one", flush=True)\nwait("two")\nprint("two", flush=True)\nwait("end")\nprint("three")`,
  });
  await saveAndRun(page);
  await mark(page);
  await expect(outputLines(page)).toHaveText(['one']);
  await expectPhase(page, 'Running');
  await expect(page).toHaveTitle(`● ${name} · #1 · Stoker`);
  await expect(page.locator('#log-words', { hasText: 'Live: new lines appear here.' })).toBeVisible();

  gates.open('two');
  await expect(outputLines(page)).toHaveText(['one', 'two']);
  gates.open('end');
  await expect(outputLines(page)).toHaveText(['one', 'two', 'three']);
  await expectPhase(page, 'Succeeded');
  await expect(page).toHaveTitle(`✓ ${name} · #1 · Stoker`);
  await expect(page.locator('#log-words', { hasText: 'End of the log.' })).toBeVisible();
  await expect(page.getByRole('button', { name: 'Cancel', exact: true })).toHaveCount(0);
  await expectSameDocument(page);

  // What came live is what the server shows later.
  const live = await log(page).locator('#log-lines').innerHTML();
  await page.reload();
  expect(await log(page).locator('#log-lines').innerHTML()).toBe(live);
});

test('a line that has not ended is shown, and replaced', async ({ page, request, gates }) => {
  const run = await makeRun(request, {
    name: uniqueName('Progress'),
    code: `${gates.code}print("10%", end="", flush=True)\nwait("on")\nprint("\\r60%", end="", flush=True)\nwait("end")\nprint("\\r100%")`,
  });
  await page.goto(run.path);
  await expect(log(page).getByText('10%', { exact: true })).toBeVisible();
  gates.open('on');
  await expect(log(page).getByText('60%', { exact: true })).toBeVisible();
  await expect(log(page).getByText('10%', { exact: true })).toHaveCount(0);
  gates.open('end');
  await expect(outputLines(page)).toHaveText(['100%']);
  await expect(log(page)).not.toContainText('60%');
});

test('a cancelled run says so in the open page', async ({ page, request, gates }) => {
  const run = await makeRun(request, { name: uniqueName('Watched'), code: `${gates.code}print("on", flush=True)\nwait("never")` });
  await page.goto(run.path);
  await expect(outputLines(page)).toHaveText(['on']);
  await mark(page);
  await request.post(run.path, { form: { intent: 'cancel' }, maxRedirects: 0 });
  await expectPhase(page, 'Cancelled');
  await expectSameDocument(page);
});

test('the log follows its end, stops when the reader scrolls up, and goes on when asked', async ({ page, request, gates }) => {
  const run = await makeRun(request, {
    name: uniqueName('Follow'),
    code: [
      gates.code,
      'for n in range(1, 301): print("line", n, flush=True)',
      'wait("more")',
      'for n in range(301, 321): print("line", n, flush=True)',
      'wait("end")',
      'print("line 321")',
    ].join('\n'),
  });
  await page.goto(run.path);
  const at = (number: number) => log(page).getByText(`line ${number}`, { exact: true });
  await expect(at(300)).toBeInViewport();

  await log(page).hover();
  await page.mouse.wheel(0, -1500);
  await expect(at(300)).not.toBeInViewport();
  const seen = log(page).getByText('line 240', { exact: true });
  await seen.scrollIntoViewIfNeeded();
  const place = (await seen.boundingBox())?.y;
  gates.open('more');
  const resume = page.getByRole('button', { name: '↓ 20 new lines' });
  await expect(resume).toBeVisible();
  await expect(at(320)).not.toBeInViewport();
  expect((await seen.boundingBox())?.y, 'what is being read stays where it is').toBeCloseTo(place ?? -1, 0);

  await resume.click();
  await expect(at(320)).toBeInViewport();
  await expect(resume).toBeHidden();
  gates.open('end');
  await expect(at(321)).toBeInViewport();
});

test('twenty thousand lines at once leave the page with the last ones', async ({ page, request, gates }) => {
  const run = await makeRun(request, {
    name: uniqueName('Flood'),
    code: `${gates.code}print("ready", flush=True)\nwait("on")
for n in range(20_000): print(f"::group::{n}" if n % 500 == 0 else "::endgroup::" if n % 500 == 9 else f"line {n}")
print("last", flush=True)`,
  });
  await page.goto(run.path);
  await expect(outputLines(page)).toHaveText(['ready']);
  gates.open('on');
  await expect(log(page).getByText('last', { exact: true })).toBeInViewport({ timeout: 80_000 });
  await expectPhase(page, 'Succeeded');
  expect(await page.locator('#log-lines .line').count()).toBeLessThanOrEqual(5000);
  // Groups go with their lines, and so do the links to them.
  const groups = await page.locator('#log-lines .log-group:not(#log-preparation)').count();
  expect(groups).toBeGreaterThan(5);
  await expect(page.locator('#log-lines .heading-link')).toHaveCount(groups);
  await page.getByRole('link', { name: 'Show earlier lines' }).click();
  await expect(log(page).getByText('last', { exact: true })).toHaveCount(0);
  await expect(page.locator('#log-lines .line').first()).toBeAttached();
});

test('a link to a line that is not on the page loads the page around it', async ({ page, request }) => {
  const run = await makeRun(request, { name: uniqueName('Hash'), code: 'for n in range(1, 2501): print("line", n)' });
  await page.goto(run.path);
  await expectPhase(page, 'Succeeded');
  // A page that was open meanwhile has all the lines; a new one has the last ones only.
  await page.reload();
  await page.goto(`${run.path}#L5`);
  await expect(page).toHaveURL(`${run.path}?lines=5#L5`);
  await expect(line(page, 5)).toBeInViewport();
});

test('a line of many megabytes is cut, says so, and does not burden the page', async ({ page, request, gates }) => {
  const code = `${gates.code}print("ready", flush=True)\nwait("on")\nprint("x" * 8_000_000)\nprint("last", flush=True)`;
  const run = await makeRun(request, { name: uniqueName('Endless line'), code });
  await page.goto(run.path);
  await expect(outputLines(page)).toHaveText(['ready']);
  gates.open('on');
  await expect(log(page).getByText('last', { exact: true })).toBeInViewport({ timeout: 80_000 });
  const length = () => log(page).evaluate((element) => element.textContent?.length ?? 0);
  const pieces = page.locator('#log-lines .line.is-cut');
  expect(await length()).toBeLessThan(1_100_000);
  expect(await pieces.count()).toBeGreaterThan(10);
  await expect(page.getByRole('link', { name: 'Show earlier lines' })).toBeAttached();

  await expectPhase(page, 'Succeeded');
  const answer = await page.reload();
  expect((await answer?.text())?.length).toBeLessThan(700_000);
  expect(await length()).toBeLessThan(600_000);
  await expect(log(page).getByText('last', { exact: true })).toBeInViewport();
  const shown = await page.locator('#log-lines .line').count();
  expect(await pieces.count(), 'all but the last piece and the last line').toBe(shown - 2);
});

test('a link to a line still leads there when the page is loaded again', async ({ page, request }) => {
  const run = await makeRun(request, { name: uniqueName('Again'), code: 'for n in range(1, 601): print("line", n)' });
  await page.goto(run.path);
  await expectPhase(page, 'Succeeded');
  await page.goto('about:blank');
  await page.goto(`${run.path}#L5`);
  await expect(line(page, 5)).toBeInViewport();
  await page.reload();
  await expect(line(page, 5)).toBeInViewport();
});

test('a link to a line that does not exist shows the end of the log, and says so', async ({ page, request }) => {
  const run = await makeRun(request, { name: uniqueName('Beyond'), code: 'for n in range(1, 601): print("line", n)' });
  await page.goto(run.path);
  await expectPhase(page, 'Succeeded');
  await page.goto(`${run.path}#L9999999`);
  await expect(page.getByText('The log has no line 9999999')).toBeVisible();
  await expect(log(page).getByText('line 600', { exact: true })).toBeInViewport();
});

test('long lines are wrapped on a narrow screen', async ({ page, request }) => {
  await page.setViewportSize({ width: 360, height: 740 });
  const run = await makeRun(request, { name: uniqueName('Narrow'), code: 'print("y" * 500)' });
  await page.goto(run.path);
  await expect(outputLines(page)).toHaveText(['y'.repeat(500)]);
  expect(await log(page).evaluate((element) => element.scrollWidth <= element.clientWidth)).toBe(true);
});
