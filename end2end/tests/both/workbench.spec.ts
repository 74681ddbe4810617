// The loop on a task's page: write, run, read, mend, and run again, with the code and the run beside each other.

import {
  editAndRerun,
  expectForm,
  expectPhase,
  expectRunShown,
  field,
  fill,
  log,
  makeRun,
  outputLines,
  saveAndRun,
  sendRefused,
  startRun,
  uniqueName,
} from '../../support/pages.ts';
import { expect, test } from '../../support/test.ts';

test('code is written, refused, mended, run, changed and run again on one page', async ({ page, problems }) => {
  problems.expectStatus(422);
  const name = uniqueName('Loop');
  await page.goto('/tasks/new');
  await expect(page.getByRole('region', { name: 'Run', exact: true })).toContainText('Run it to see its log here');
  const typed = { name, code: 'print("one")\nraise ValueError("not yet")\n', packages: 'no package' , timeout: 'soon' };
  await fill(page, { ...typed, packages: 'six>>1' });
  expect(await sendRefused(page, 'Save & Run')).toBe(422);
  await expect(page.getByRole('alert').getByRole('listitem')).toHaveCount(2);
  await expect(field(page, 'timeout')).toHaveAccessibleDescription(/Error: The timeout must be/);
  await expectForm(page, { ...typed, packages: 'six>>1' });

  await fill(page, { packages: '', timeout: '' });
  const first = await saveAndRun(page, 1);
  await expect(page.getByRole('alert')).toHaveCount(0);
  await expect(field(page, 'timeout')).not.toHaveAttribute('aria-invalid', 'true');
  await expectPhase(page, 'Failed');
  await expect(page.locator('#run-summary')).toContainText('ValueError: not yet');
  await expect(outputLines(page)).toHaveText(['one']);
  await expectForm(page, { name, code: typed.code, packages: '' });

  await fill(page, { code: 'print("two")\n' });
  const second = await saveAndRun(page, 2);
  expect(second.task).toBe(first.task);
  await expectPhase(page, 'Succeeded');
  await expect(outputLines(page)).toHaveText(['two']);
  await expectForm(page, { code: 'print("two")\n' });
  await expect(page.getByText('changed since #1: code +1 −2')).toBeVisible();
  const rows = page.getByRole('region', { name: 'Runs', exact: true }).getByRole('row');
  await expect(rows).toHaveText([/Phase/, /#2.*Succeeded/, /#1.*Failed/]);
});

test('an older run is looked at beside the code, and is what one starts from again', async ({ page, request }) => {
  const name = uniqueName('Older');
  const first = await makeRun(request, { name, code: 'print("old")', environment: 'A=1' });
  await page.goto(first.task);
  await fill(page, { code: 'print("new")', environment: '' });
  await saveAndRun(page, 2);
  await expectPhase(page, 'Succeeded');

  await page.getByRole('link', { name: '#1', exact: true }).click();
  await expectRunShown(page, 1);
  await expect(outputLines(page)).toHaveText(['old']);
  await expectForm(page, { code: 'print("new")' });
  await page.goBack();
  await expectRunShown(page, 2);
  await expect(outputLines(page)).toHaveText(['new']);
  await page.goForward();
  await expect(outputLines(page)).toHaveText(['old']);

  await editAndRerun(page);
  await expect(page.getByText('The task has changed since this run.')).toBeVisible();
  await expectForm(page, { name, code: 'print("old")', environment: 'A=1' });
  await page.getByRole('link', { name: 'Go back to the saved version' }).click();
  await expect(page).toHaveURL(first.task);
  await expectForm(page, { code: 'print("new")', environment: '' });

  await page.goto(`${first.task}/edit?run=1`);
  await saveAndRun(page, 3);
  await expectPhase(page, 'Succeeded');
  await expect(outputLines(page)).toHaveText(['old']);
  await expect(page.getByText('Filled in from')).toHaveCount(0);
  await page.goto(first.task);
  await expectForm(page, { code: 'print("old")', environment: 'A=1' });
});

test('a run is stopped and repeated beside the code', async ({ page, request, gates }) => {
  const code = `${gates.code}print("on", flush=True)\nwait("end")`;
  const run = await makeRun(request, { name: uniqueName('Stopped'), code });
  await page.goto(run.task);
  await expect(async () => {
    await page.reload();
    await expect(outputLines(page)).toHaveText(['on'], { timeout: 1000 });
  }).toPass();
  await page.getByRole('button', { name: 'Cancel', exact: true }).click();
  await expectPhase(page, 'Cancelled');
  gates.open('end');
  await page.getByRole('button', { name: 'Rerun', exact: true }).click();
  await expectRunShown(page, 2);
  await expectPhase(page, 'Succeeded');
  await expectForm(page, { code });
});

test('on a phone the code and the run are two tabs', async ({ page, request }) => {
  await page.setViewportSize({ width: 360, height: 740 });
  const task = (await makeRun(request, { name: uniqueName('Phone'), code: 'print("small")' })).task;
  await page.goto(task);
  await expect(field(page, 'code')).toBeVisible();
  await expect(log(page)).toBeHidden();
  await saveAndRun(page, 2);
  await expectPhase(page, 'Succeeded');
  await expect(log(page)).toBeVisible();
  await expect(field(page, 'code')).toBeHidden();
  await page.getByRole('main').getByText('Code', { exact: true }).click();
  await expect(field(page, 'code')).toBeVisible();
  await expect(log(page)).toBeHidden();
  await page.getByRole('radio', { name: 'Code' }).press('ArrowRight');
  await expect(log(page)).toBeVisible();
});

test('a task has its own page for each run, to share', async ({ page, request }) => {
  const run = await makeRun(request, { name: uniqueName('Shared'), code: 'print(1)' });
  await startRun(request, run.task);
  await page.goto(`${run.task}?run=1`);
  await page.getByRole('link', { name: 'Run #1', exact: true }).click();
  await expect(page).toHaveURL(run.path);
  await expectPhase(page, 'Succeeded');
});
