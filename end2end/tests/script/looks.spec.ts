// What every page must be, in light and dark: without faults for assistive technology, and without sideways scrolling
// on a narrow phone.

import AxeBuilder from '@axe-core/playwright';
import type { APIRequestContext, Page } from '@playwright/test';

import {
  expectPhase,
  expectRunPage,
  expectRunShown,
  fill,
  makeRun,
  makeTask,
  outputLines,
  save,
  saveAndRun,
  sendRefused,
  stepForm,
  uniqueName,
} from '../../support/pages.ts';
import type { Gates } from '../../support/gates.ts';
import type { Stoker } from '../../support/stoker.ts';
import { expect, test } from '../../support/test.ts';

const OUTPUT = `
import sys
print("\\x1b[31mred \\x1b[32mgreen \\x1b[33myellow \\x1b[34mblue \\x1b[35mmagenta \\x1b[36mcyan \\x1b[90mgrey\\x1b[0m", flush=True)
print("an error", file=sys.stderr, flush=True)
print("::group::Folded\\nline\\n::endgroup::\\n::group::Open\\n::group::Inner\\n::error::wrong\\n::endgroup::\\n::endgroup::", flush=True)
print("https://example.org/" + "long" * 100, flush=True)
`;

/** Opens one page after the other, each in a state worth looking at, and calls `look` there. */
async function everyPage(
  page: Page,
  request: APIRequestContext,
  gates: Gates,
  server: Stoker,
  look: (what: string) => Promise<void>,
): Promise<void> {
  const { url } = server;
  await page.goto(`${url}/tasks`);
  await look('the list without tasks');

  const long = uniqueName('A_name_without_any_space_that_is_as_long_as_a_name_may_be_so_that_it_must_break_somewhere');
  const spec = { packages: 'six==1.16.0\nidna', environment: `LONG=${'value'.repeat(60)}` };
  const task = await makeTask(request, { name: long, code: `x = "${'wide '.repeat(60)}"`, ...spec }, url);
  const succeeded = await makeRun(request, { name: uniqueName('Good'), code: OUTPUT, ...spec }, url);
  const failed = await makeRun(request, { name: uniqueName('Bad'), code: `${OUTPUT}raise ValueError("${'why '.repeat(60)}")` }, url);
  const running = await makeRun(request, { name: uniqueName('Busy'), code: `${gates.code}print("on", flush=True)\nwait("end")` }, url);

  await page.goto(url + succeeded.path);
  await expectPhase(page, 'Succeeded');
  await look('a run that succeeded');

  const unprepared = await makeRun(request, { name: uniqueName('Unprepared'), code: 'print(1)', systemPackages: 'hell' }, url);
  await page.goto(url + unprepared.path);
  await expectPhase(page, 'Failed');
  await look('a run whose preparation failed');

  for (const help of ['guide', 'system-packages', 'operations', 'troubleshooting']) {
    await page.goto(`${url}/help/${help}`);
    await look(`help: ${help}`);
  }
  const closed = page.locator('details:not([open]) > summary');
  while ((await closed.count()) > 0) {
    await closed.first().click();
  }
  await look('a run with everything opened');
  await page.goto(url + failed.path);
  await expectPhase(page, 'Failed');
  await look('a run that failed');
  await page.goto(`${url}${failed.path}?q=an+error`);
  await look('a log that was searched');
  await page.goto(`${url}${failed.path}?only=error&show=matches`);
  await look('nothing but the lines that match');
  await page.goto(url + running.path);
  await expect(outputLines(page)).toHaveText(['on']);
  await expectPhase(page, 'Running');
  await look('a run that goes on');
  await page.goto(`${url}${running.path}/cancel`);
  await look('the question before cancelling');
  await page.goto(`${url}/runs`);
  await page.getByRole('checkbox', { name: /^Choose run #1 of Busy/ }).check();
  await look('the list of runs');
  await page.getByRole('button', { name: 'Cancel chosen runs…' }).click();
  await look('the question before cancelling several');
  await page.goto(`${url}/runs?q=nothing+like+this`);
  await look('a list of runs without any');
  gates.open('end');

  await page.goto(url + task);
  await look('a task without runs');
  await page.goto(url + failed.task);
  await look('a task with a run');
  await page.goto(url + succeeded.task);
  // Where there is no room beside the code, the run is behind a tab.
  const tab = page.locator('label[for=bench-tab-run]');
  if (await tab.isVisible()) {
    await tab.click();
  }
  await page.getByRole('button', { name: 'Rerun', exact: true }).click();
  await expectRunShown(page, 2);
  await expectPhase(page, 'Succeeded');
  await look('a task with runs and their durations');
  await page.getByRole('link', { name: 'Compare the last two' }).click();
  await expect(page.getByRole('heading', { name: 'What they printed' })).toBeVisible();
  await look('two runs compared');
  await page.goto(`${url}/tasks`);
  await look('the list with tasks');
  await page.goto(`${url}/tasks?q=nothing+like+this`);
  await look('a search without results');
  await page.goto(`${url}${task}/edit`);
  await look('the form of a task');
  await page.goto(`${url}${succeeded.task}/edit?run=1`);
  await look('the form from a run');
  await page.goto(`${url}/tasks/new`);
  await look('the empty form');
  await fill(page, { code: '', packages: 'a?', systemPackages: 'b;', requirements: '-r c', environment: 'd', timeout: 'e' });
  expect(await sendRefused(page, 'Save')).toBe(422);
  await look('the form with errors');
  await page.goto(`${url}${task}/delete`);
  await look('the question before deleting');
  await page.goto(`${url}/flows`);
  await look('the list without flows');
  await page.goto(`${url}/flows/new?example=readings`);
  await page.getByLabel('Name', { exact: true }).fill(long);
  await stepForm(page, 1);
  await look('the form of a flow');
  await (await stepForm(page, 0)).getByRole('checkbox', { name: 'Report', exact: true }).check();
  await (await stepForm(page, 2)).getByLabel('Timeout in seconds', { exact: true }).fill('soon');
  expect(await sendRefused(page, 'Save')).toBe(422);
  await look('the form of a flow with errors');
  await (await stepForm(page, 0)).getByRole('checkbox', { name: 'Report', exact: true }).uncheck();
  await (await stepForm(page, 2)).getByLabel('Timeout in seconds', { exact: true }).fill('');
  await save(page);
  await page.locator('.flow-steps summary').last().click();
  await look('a flow');
  const flow = new URL(page.url()).pathname;
  await page.goto(`${url}/flows`);
  await look('the list of flows');
  await page.goto(url + flow);
  await page.getByRole('button', { name: 'Run', exact: true }).click();
  await expectPhase(page, 'Succeeded');
  await page.locator('#run-graph').getByRole('link', { name: /^Find averages/ }).click();
  await look('a step with outputs');
  await page.goto(`${url}${flow}/edit`);
  const averages = await stepForm(page, 1);
  await averages.getByLabel('Python code', { exact: true }).fill('raise ValueError("none")');
  await averages.getByText('When it fails', { exact: true }).click();
  await averages.getByLabel('Retries', { exact: true }).fill('1');
  await saveAndRun(page);
  await expectPhase(page, 'Failed');
  await look('a flow that failed');
  await page.getByRole('button', { name: 'Restart from the failed step' }).click();
  await expectRunPage(page, 3);
  await expectPhase(page, 'Failed');
  await look('a flow that was gone on with');
  await page.goto(`${url}${flow}/delete`);
  await look('the question before deleting a flow');

  await page.goto(`${url}/system`);
  await page.getByText('As a table').click();
  await look('the system page');
  await expect(page.getByRole('button', { name: 'Keyboard' })).toBeVisible();
  await page.keyboard.press('?');
  await look('the list of keys');
  await page.keyboard.press('Escape');
  await page.keyboard.press('.');
  await look('the list of commands');
  await page.keyboard.press('Escape');
  await page.getByRole('link', { name: /^Delete environment/ }).first().click();
  await look('the question before deleting an environment');
  await page.goto(`${url}/nowhere`);
  await look('a page that does not exist');
}

for (const colorScheme of ['light', 'dark'] as const) {
  test(`axe finds nothing on any page (${colorScheme})`, async ({ page, request, gates, ownServer, problems }) => {
    // Axe looks at each of some twenty pages for seconds.
    test.setTimeout(360_000);
    problems.expectStatus(404, 422);
    problems.expect(/^dialog: beforeunload/);
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    await everyPage(page, request, gates, ownServer, async (what) => {
      await test.step(what, async () => {
        const { violations } = await new AxeBuilder({ page }).analyze();
        const found = violations.map(({ id, help, nodes }) => ({
          id,
          help,
          nodes: nodes.slice(0, 5).map((node) => `${node.html.slice(0, 200)} · ${node.failureSummary ?? ''}`),
        }));
        expect.soft(found, what).toEqual([]);
      });
    });
  });
}

test('no page scrolls sideways at 360 pixels', async ({ page, request, gates, ownServer, problems }) => {
  test.setTimeout(120_000);
  problems.expectStatus(404, 422);
  problems.expect(/^dialog: beforeunload/);
  await page.setViewportSize({ width: 360, height: 740 });
  await everyPage(page, request, gates, ownServer, async (what) => {
    await test.step(what, async () => {
      const wide = await page.evaluate(() => {
        const isClipped = (element: Element): boolean => {
          for (let outer = element.parentElement; outer; outer = outer.parentElement) {
            if (outer !== document.body && getComputedStyle(outer).overflowX !== 'visible') return true;
          }
          return false;
        };
        const limit = document.documentElement.clientWidth;
        if ((document.scrollingElement?.scrollWidth ?? 0) <= limit) return [];
        return [...document.body.querySelectorAll('*')]
          .filter((element) => element.getBoundingClientRect().right > limit + 0.5 && !isClipped(element))
          .slice(0, 5)
          .map((element) => element.outerHTML.slice(0, 150));
      });
      expect.soft(wide, what).toEqual([]);
    });
  });
});
