import { readFile } from 'node:fs/promises';

import {
  buildFlow,
  expectPhase,
  expectRunPage,
  outputLines,
  saveAndRun,
  stepForm,
  uniqueName,
} from '../../support/pages.ts';
import { expect, test } from '../../support/test.ts';

test('a failed run is read from its graph and its list, and gone on with once the cause is mended', async ({
  page,
  gates,
}) => {
  await buildFlow(page, uniqueName('Mended'), [
    { name: 'Load', code: 'write_step_output([{"sensor": "north", "mean": 20.5}])\nprint("loaded")' },
    { name: 'Good', code: 'print("good")', after: ['Load'] },
    {
      name: 'Bad',
      code: `${gates.code}if not is_open("mended"):\n    raise ValueError("out of order")`,
      after: ['Load'],
    },
    { name: 'Report', code: 'print(read_step_output("load"))', after: ['Good', 'Bad'] },
  ]);
  const first = await saveAndRun(page);
  await expectPhase(page, 'Failed');

  // Whoever comes to the run now sees the failed step at first, and why what waited for it did not run.
  await page.goto(first.path);
  const graph = page.locator('#run-graph');
  const table = page.locator('#run-steps');
  await expect(graph.getByRole('link', { name: /^Report: Skipped/ })).toBeVisible();
  await expect(table.getByRole('row', { name: /Report/ })).toContainText('failed');
  await expect(page.getByRole('heading', { name: 'Step Bad' })).toBeVisible();
  await expect(page.locator('#run-step')).toContainText('ValueError: out of order');

  await graph.getByRole('link', { name: /^Good: Succeeded/ }).click();
  await expect(page).toHaveURL(new RegExp(`${first.path}/steps/good#step$`));
  await expect(outputLines(page)).toHaveText(['good']);
  await table.getByRole('link', { name: 'Bad' }).click();
  await expect(page).toHaveURL(new RegExp(`${first.path}/steps/bad#step$`));
  await expect(page.locator('#log-lines')).toContainText('ValueError: out of order');

  await graph.getByRole('link', { name: /^Load: Succeeded/ }).click();
  await page.getByRole('link', { name: '1 output' }).click();
  const outputs = page.locator('#run-outputs');
  await expect(outputs.getByRole('columnheader')).toHaveText(['sensor', 'mean']);
  await expect(outputs.getByRole('cell')).toHaveText(['north', '20.5']);
  const downloading = page.waitForEvent('download');
  await outputs.getByRole('link', { name: 'Download output.json' }).click();
  const file = await (await downloading).path();
  expect(JSON.parse(await readFile(file, 'utf8'))).toEqual([{ sensor: 'north', mean: 20.5 }]);

  gates.open('mended');
  await page.getByRole('button', { name: 'Restart from the failed step' }).click();
  await expectRunPage(page, 2);
  await expectPhase(page, 'Succeeded');
  await expect(page.locator('#run-summary')).toContainText('goes on where run #1 failed');
  await expect(graph.getByRole('link', { name: /^Load: Succeeded · from #1/ })).toBeVisible();
  await expect(table.getByRole('row', { name: /Good/ })).toContainText('Kept from run #1');
  await graph.getByRole('link', { name: /^Report: Succeeded/ }).click();
  await expect(outputLines(page)).toHaveText(["[{'sensor': 'north', 'mean': 20.5}]"]);

  await page.getByRole('button', { name: 'Run this step alone' }).click();
  await expectRunPage(page, 3);
  await expectPhase(page, 'Succeeded');
  await graph.getByRole('link', { name: /^Report: Succeeded/ }).click();
  await expect(outputLines(page)).toHaveText(["[{'sensor': 'north', 'mean': 20.5}]"]);
});

test('the graph of a flow shows the form as it was typed, and leads to its steps', async ({ page, javaScriptEnabled }) => {
  await buildFlow(page, uniqueName('Drawn'), [
    { name: 'Load', code: 'print(1)' },
    { name: 'Sum', code: 'print(2)', after: ['Load'] },
  ]);
  await page.getByRole('button', { name: 'Add a step' }).click();
  const graph = page.locator('#flow-graph');
  await expect(graph.getByRole('link')).toHaveCount(3);
  await graph.getByRole('link', { name: 'Sum. Runs after Load.' }).click();
  const name = (await stepForm(page, 1)).getByLabel('Step name', { exact: true });
  if (javaScriptEnabled) {
    // Beside the graph, where the focus stays; once more, one goes there.
    await expect(name).toBeVisible();
    await page.keyboard.press('Enter');
  }
  await expect(name).toBeFocused();
});

test('the graph and the table of steps follow a run', async ({ page, gates, javaScriptEnabled }) => {
  await buildFlow(page, uniqueName('Followed'), [
    { name: 'First', code: `${gates.code}wait("first")` },
    { name: 'Second', code: `${gates.code}wait("second")`, after: ['First'] },
  ]);
  await saveAndRun(page);
  const step = (name: string, phase: string) =>
    page.locator('#run-graph').getByRole('link', { name: new RegExp(`^${name}: ${phase}`) });
  const row = (name: string) => page.locator('#run-steps').getByRole('row', { name: new RegExp(name) });
  await expect(step('First', 'Running')).toBeVisible();
  await expect(step('Second', 'Pending')).toBeVisible();
  await expect(row('Second')).toContainText('Waiting for First.');
  if (javaScriptEnabled) {
    await page.evaluate(() => Object.assign(window, { isMarked: true }));
  }
  gates.open('first');
  await expect(step('First', 'Succeeded')).toBeVisible();
  await expect(step('Second', 'Running')).toBeVisible();
  await expect(row('First')).toContainText('Succeeded');
  gates.open('second');
  await expect(step('Second', 'Succeeded')).toBeVisible();
  await expectPhase(page, 'Succeeded');
  await expect(page.locator('#run-summary')).toContainText('2 of 2 steps ended');
  if (javaScriptEnabled) {
    expect(await page.evaluate(() => 'isMarked' in window), 'the page was not loaded again').toBe(true);
  }
});
