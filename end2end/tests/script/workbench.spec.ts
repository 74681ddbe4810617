// What the page of a task does with JavaScript: nobody leaves it, nothing typed is touched, and nothing moves.

import type { Page } from '@playwright/test';

import {
  expectForm,
  expectLive,
  expectPhase,
  expectRunShown,
  field,
  fill,
  line,
  log,
  makeRun,
  makeTask,
  outputLines,
  saveAndRun,
  sendRefused,
  uniqueName,
} from '../../support/pages.ts';
import { expect, test } from '../../support/test.ts';

/** Opens a task's page, and waits until its live parts are there. */
async function open(page: Page, path: string): Promise<void> {
  await page.goto(path);
  await expect(field(page, 'code')).toHaveAccessibleDescription(/Ctrl\+Enter/);
  await page.evaluate(() => Object.assign(window, { isMarked: true }));
}

async function expectSameDocument(page: Page): Promise<void> {
  expect(await page.evaluate(() => 'isMarked' in window), 'the page was not loaded again').toBe(true);
}

const caret = (page: Page) =>
  field(page, 'code').evaluate((area) => {
    const { selectionStart, selectionEnd, scrollTop } = area as HTMLTextAreaElement;
    return { selectionStart, selectionEnd, scrollTop };
  });

test('Save & Run leaves focus, caret, scroll and undo where they are, and streams the log', async ({ page, gates }) => {
  await open(page, '/tasks/new');
  const code = `${gates.code}${'# a line\n'.repeat(60)}print("one", flush=True)\nwait("on")\nprint("two")`;
  await fill(page, { name: uniqueName('In place'), code });
  await field(page, 'code').click();
  await page.keyboard.press('Control+End');
  await page.keyboard.type('  # end');
  await page.keyboard.press('ArrowLeft');
  const before = { ...(await caret(page)), y: await page.evaluate(() => window.scrollY) };
  await page.keyboard.press('Control+Enter');
  const run = await expectRunShown(page, 1);
  await expect(outputLines(page)).toHaveText(['one']);
  await expectPhase(page, 'Running');
  expect({ ...(await caret(page)), y: await page.evaluate(() => window.scrollY) }).toEqual(before);
  await expect(field(page, 'code')).toBeFocused();
  await page.keyboard.type('!');
  gates.open('on');
  await expect(outputLines(page)).toHaveText(['one', 'two']);
  await expectPhase(page, 'Succeeded');
  await expect(page.locator('#log-words')).toHaveText('End of the log.');
  await expect(field(page, 'code')).toHaveValue(`${code}  # en!d`);
  await page.keyboard.press('Control+z');
  await expect(field(page, 'code')).toHaveValue(`${code}  # end`);
  await page.keyboard.type('?');

  await page.keyboard.press('Control+Enter');
  await expectRunShown(page, 2);
  await expectPhase(page, 'Succeeded');
  await expect(outputLines(page)).toHaveText(['one', 'two']);
  await expect(page).toHaveTitle(/^✓ .* · #2 · Stoker$/);
  await expectSameDocument(page);
  await page.goBack();
  await expectRunShown(page, 1);
  await expect(page.getByRole('heading', { name: 'Run #1' })).toBeVisible();
  await expectSameDocument(page);
  await page.goto(run.task);
  await expectForm(page, { code: `${code}  # en?d` });
});

test('what is wrong is said at its field without touching what was typed', async ({ page, request, problems }) => {
  problems.expectStatus(422);
  const task = await makeTask(request, { name: uniqueName('Faults'), code: 'print(1)' });
  await open(page, task);
  await fill(page, { code: 'print(2)', environment: 'not a variable' });
  expect(await sendRefused(page, 'Save & Run')).toBe(422);
  await expect(page.getByRole('alert')).toBeFocused();
  await expect(page).toHaveTitle(/^Error: /);
  await expect(field(page, 'environment')).toHaveAttribute('aria-invalid', 'true');
  await expect(field(page, 'environment')).toHaveAccessibleDescription(/Error: .*there is no `=`/);
  await field(page, 'environment').fill('A=1');
  await saveAndRun(page, 1);
  await expect(field(page, 'environment')).not.toHaveAttribute('aria-invalid');
  await expect(field(page, 'environment')).toHaveAccessibleDescription(/^One NAME=value a line/);
  await expect(page.getByRole('alert')).toHaveCount(0);
  await expectPhase(page, 'Succeeded');
  await expectSameDocument(page);
});

test('other runs are looked at without losing what is typed', async ({ page, request, problems }) => {
  problems.expect(/^dialog: beforeunload/);
  const run = await makeRun(request, { name: uniqueName('Typed'), code: 'print("first")' });
  await open(page, run.task);
  await expectPhase(page, 'Succeeded');
  await page.getByRole('button', { name: 'Rerun', exact: true }).click();
  await expectRunShown(page, 2);
  await expectPhase(page, 'Succeeded');
  await fill(page, { code: 'print("typed, not saved")' });
  await page.getByRole('link', { name: '#1', exact: true }).click();
  await expectRunShown(page, 1);
  await expect(page.getByRole('heading', { name: 'Run #1' })).toBeVisible();
  await page.getByRole('button', { name: 'Clock', exact: true }).click();
  await expect(page.getByRole('button', { name: 'Clock', exact: true })).toHaveAttribute('aria-pressed', 'true');
  await line(page, 1).hover();
  await page.goBack();
  await expect(page.getByRole('heading', { name: 'Run #2' })).toBeVisible();
  await expectForm(page, { code: 'print("typed, not saved")' });
  await expectSameDocument(page);
});

test('a server that is gone costs nothing that was typed', async ({ page, request, ownServer, problems }) => {
  problems.expect(/ERR_CONNECTION_REFUSED/, /WebSocket connection/, /^dialog: beforeunload/);
  const task = await makeTask(request, { name: 'Gone', code: 'print(1)' }, ownServer.url);
  await open(page, ownServer.url + task);
  await fill(page, { code: 'print("kept")' });
  await ownServer.kill();
  await page.getByRole('button', { name: 'Save & Run' }).click();
  await expect(page.getByRole('alert')).toContainText('Stoker could not be reached');
  await expectForm(page, { code: 'print("kept")' });
  await ownServer.launch();
  await saveAndRun(page, 1);
  await expectPhase(page, 'Succeeded');
  await expect(page.getByRole('alert')).toHaveCount(0);
});

for (const [what, code, phase] of [
  ['succeeds', 'print("end")', 'Succeeded'],
  ['fails', 'raise ValueError("why")', 'Failed'],
] as const) {
  test(`nothing moves while a run ${what}`, async ({ page, request, gates }) => {
    const lines = 'for n in range(200): print("line", n, flush=True)';
    const run = await makeRun(request, { name: uniqueName('Still'), code: `${gates.code}wait("begin")\n${lines}\n${code}` });
    await open(page, run.task);
    await page.evaluate(() => {
      const shifts: string[] = [];
      Object.assign(window, { shifts });
      new PerformanceObserver((list) => {
        for (const entry of list.getEntries()) {
          const { value, sources } = entry as unknown as { value: number; sources: { node?: Element }[] };
          shifts.push(`${value}: ${sources.map(({ node }) => node?.parentElement?.outerHTML.slice(0, 120)).join(' | ')}`);
        }
      }).observe({ type: 'layout-shift' });
    });
    await expectPhase(page, 'Running');
    gates.open('begin');
    await expectPhase(page, phase);
    await expect(page.locator('#log-words')).toHaveText('End of the log.');
    await expect(log(page).getByText('line 199', { exact: true })).toBeVisible();
    expect(await page.evaluate(() => (window as unknown as { shifts: string[] }).shifts)).toEqual([]);
  });
}

test('the log is searched beside the code, and nothing typed is lost', async ({ page, request }) => {
  const code = 'for n in range(1, 3001): print("needle" if n % 1500 == 0 else "hay", n)';
  const run = await makeRun(request, { name: uniqueName('Beside'), code });
  await page.goto(run.path);
  await expectPhase(page, 'Succeeded');
  await open(page, run.task);
  await expectLive(page);
  await fill(page, { code: `${code}  # typed` });
  const found = page.getByRole('navigation', { name: 'Matches' }).getByRole('status');
  await page.getByRole('searchbox', { name: 'Search the log' }).fill('needle');
  await page.getByRole('searchbox', { name: 'Search the log' }).press('Enter');
  await expect(found).toHaveText('1 of 2 lines with a match');
  await expect(line(page, 1500)).toBeInViewport();
  await expect(page.locator('#match')).toBeFocused();
  // The next one is not on the page.
  await page.keyboard.press('n');
  await expect(found).toHaveText('2 of 2 lines with a match');
  await expect(line(page, 3000)).toBeInViewport();
  await page.keyboard.press('Escape');
  await expect(page).toHaveURL(/\?run=1#log$/);
  await page.evaluate(() => { location.hash = '#L2'; });
  await expect(line(page, 2), 'a line that was not on the page').toBeInViewport();
  await page.goBack();
  await page.goBack();
  await page.goBack();
  await expect(found).toHaveText('2 of 2 lines with a match');
  await expectForm(page, { code: `${code}  # typed` });
  await expectSameDocument(page);
});
