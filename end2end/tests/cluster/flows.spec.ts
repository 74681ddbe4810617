// The main flows, with runs in a cluster. `test-cluster.sh` says by variables which one.

import { editAndRerun, expectForm, expectPhase, fill, line, outputLines, saveAndRun, uniqueName } from '../../support/pages.ts';
import { expect, test } from '../../support/test.ts';

/** Prints a line, and then one after the other for half a minute. */
const SLOW = `
import time
print("begun", flush=True)
for number in range(300):
    print("line", number, flush=True)
    time.sleep(0.1)
`;

// A pod takes its time, on a machine that does other things too.
test.setTimeout(180_000);
const LATER = { timeout: 90_000 };

test('a task is written, runs in the cluster, is watched live, and cancelled', async ({ page }) => {
  await page.goto('/tasks/new');
  await fill(page, { name: uniqueName('Live'), code: SLOW });
  await saveAndRun(page);
  await expect(outputLines(page).first()).toHaveText('begun', LATER);
  await expectPhase(page, 'Running');
  await expect(page.locator('#run-summary')).toContainText(/on argo \(.+\)/);
  const seen = await outputLines(page).count();
  // By itself: a live page is sent the lines, and one without script renews itself.
  await expect.poll(() => outputLines(page).count(), LATER).toBeGreaterThan(seen + 5);

  await page.getByRole('button', { name: 'Cancel', exact: true }).click();
  await expectPhase(page, 'Cancelled');
  await expect(line(page, 1)).not.toBeEmpty();
  await expect(page.getByRole('button', { name: 'Cancel', exact: true })).toHaveCount(0);
});

test('a run fails, and Edit & Rerun of an older run puts it right', async ({ page }) => {
  await page.goto('/tasks/new');
  const first = { name: uniqueName('Put right'), code: 'import six\nprint("six", six.__version__)\n', packages: 'six==1.17.0' };
  await fill(page, first);
  const run = await saveAndRun(page);
  await expect(outputLines(page)).toHaveText(['six 1.17.0'], LATER);
  await expectPhase(page, 'Succeeded');
  await expect(page.getByText(/A container of .+, on the node .+\./).first()).toBeAttached();

  await editAndRerun(page);
  await fill(page, { code: 'print("before", flush=True)\nraise SystemExit("it does not go")\n', packages: '' });
  await saveAndRun(page, 2);
  await expect(page.getByText('The program ended with exit code 1.').first()).toBeVisible(LATER);
  await expectPhase(page, 'Failed');
  await expect(page.getByText('it does not go').first()).toBeVisible();

  await page.goto(run.path);
  await editAndRerun(page);
  await expect(page.getByText('The task has changed since this run.')).toBeVisible();
  await expectForm(page, first);
  await saveAndRun(page, 3);
  await expect(outputLines(page)).toHaveText(['six 1.17.0'], LATER);
  await expectPhase(page, 'Succeeded');
});
