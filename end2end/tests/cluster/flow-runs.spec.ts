// A flow in the cluster, from the form to its second run.

import { buildFlow, expectRunPage, outputLines, saveAndRun, uniqueName } from '../../support/pages.ts';
import { expect, test } from '../../support/test.ts';

// Argo's controller takes some ten seconds from one step to the next.
test.setTimeout(300_000);
const LATER = { timeout: 120_000 };

/** Fails when it runs first, and only then: what it leaves beside the folders of the runs tells the second one. */
const failsOnce = (mark: string) => `
import os
mark = os.path.join(os.path.dirname(os.path.dirname(os.environ["STOKER_OUTPUT_DIR"])), "${mark}")
if not os.path.exists(mark):
    open(mark, "w").close()
    raise ValueError("out of order")
print("in order")
`;

const LOAD = `
import time
for number in range(20):
    print("row", number, flush=True)
    time.sleep(0.5)
write_step_output({"rows": 20})
`;

test('a diamond is watched in the cluster, fails, and goes on where it failed', async ({ page, javaScriptEnabled }) => {
  const name = uniqueName('Diamond');
  await buildFlow(page, name, [
    { name: 'Load', code: LOAD },
    { name: 'Double', code: 'write_step_output(read_step_output("load")["rows"] * 2)', after: ['Load'] },
    { name: 'Check', code: failsOnce(`${name.replaceAll(' ', '-')}-${javaScriptEnabled}`), after: ['Load'] },
    { name: 'Report', code: 'print("total", read_step_output("double"))', after: ['Double', 'Check'] },
  ]);
  const first = await saveAndRun(page);
  const graph = page.locator('#run-graph');
  const table = page.locator('#run-steps');
  const step = (name: string, phase: string) =>
    graph.getByRole('link', { name: new RegExp(`^${name}: ${phase}`) });

  // Live: the step that runs, and its lines as they are printed.
  await expect(step('Load', 'Running')).toBeVisible(LATER);
  await expect(step('Report', 'Pending')).toBeVisible();
  await expect(outputLines(page).first()).toHaveText('row 0', LATER);
  await expect(page.locator('#run-step')).toContainText(/on \S+/);
  const seen = await outputLines(page).count();
  await expect.poll(() => outputLines(page).count(), LATER).toBeGreaterThan(seen + 3);
  if (javaScriptEnabled) {
    await page.evaluate(() => Object.assign(window, { isMarked: true }));
  }
  await expect(step('Load', 'Succeeded')).toBeVisible(LATER);
  await expect(step('Check', 'Failed')).toBeVisible(LATER);
  await expect(step('Double', 'Succeeded')).toBeVisible(LATER);
  // That it never runs is known without the controller.
  await expect(step('Report', 'Skipped')).toBeVisible(LATER);
  await expect(page.locator('#run-summary').getByText('Failed', { exact: true })).toBeVisible(LATER);
  if (javaScriptEnabled) {
    expect(await page.evaluate(() => 'isMarked' in window), 'the page was not loaded again').toBe(true);
  }

  // Whoever comes now sees the failed step and why; and what the cluster was given, in which no code is.
  await page.goto(first.path);
  await expect(page.getByRole('heading', { name: 'Step Check' })).toBeVisible();
  await expect(page.locator('#run-step')).toContainText('ValueError: out of order');
  await page.getByText('Manifest as submitted').click();
  const manifest = page.locator('#details-manifest pre');
  await expect(manifest).toBeVisible();
  await expect(manifest).toContainText('kind: Workflow');
  await expect(manifest).toContainText('double.Succeeded && check.Succeeded');
  await expect(manifest).not.toContainText('out of order');

  await page.getByRole('button', { name: 'Restart from the failed step' }).click();
  await expectRunPage(page, 2);
  await expect(page.locator('#run-summary').getByText('Succeeded', { exact: true })).toBeVisible(LATER);
  await expect(table.getByRole('row', { name: /Double/ })).toContainText('Kept from run #1');
  await step('Report', 'Succeeded').click();
  // What the step that was kept has put out is in the new run too.
  await expect(outputLines(page)).toHaveText(['total 40']);
});
