import {
  type Draft,
  editAndRerun,
  expectForm,
  expectPhase,
  expectRunPage,
  expectRunShown,
  fact,
  fill,
  makeRun,
  makeTask,
  openRunSettings,
  outputLines,
  save,
  saveAndRun,
  startRun,
  uniqueName,
} from '../../support/pages.ts';
import { expect, test } from '../../support/test.ts';

test('Rerun repeats the run as it was, whatever the task is now', async ({ page, request }) => {
  const run = await makeRun(request, { name: uniqueName('Rerun'), code: 'print("as it was")' });
  await page.goto(`${run.task}/edit`);
  await fill(page, { code: 'print("as it is now")' });
  await save(page);

  await page.goto(run.path);
  await expectPhase(page, 'Succeeded');
  await page.getByRole('button', { name: 'Rerun', exact: true }).click();
  await expectRunPage(page, 2);
  await expectPhase(page, 'Succeeded');
  await expect(outputLines(page)).toHaveText(['as it was']);
  await expect(page.getByText('Nothing changed since')).toBeVisible();

  await page.goto(run.task);
  await expectForm(page, { code: 'print("as it is now")' });
});

test('Edit & Rerun starts from the run, not from the task', async ({ page, request }) => {
  // With system packages the run needs Nix. It does not matter here how it ends: the form must be filled in from it.
  const old = {
    name: uniqueName('Edit and rerun'),
    code: 'import os\nprint("one", os.environ["A"])\n',
    packages: 'six==1.16.0',
    systemPackages: 'jq',
    environment: 'A=one\nB=1',
    timeout: '60',
    useCache: false,
  };
  const run = await makeRun(request, old);
  await request.post(run.path, { form: { intent: 'cancel' }, maxRedirects: 0 });
  await page.goto(`${run.task}/edit`);
  await fill(page, {
    code: 'print("two")',
    packages: '',
    systemPackages: '',
    environment: '',
    timeout: '',
    useCache: true,
  });
  await save(page);

  await page.goto(run.path);
  await editAndRerun(page);
  await expect(page.getByText('The task has changed since this run.')).toBeVisible();
  await expectForm(page, old);

  const fresh: Draft = {
    code: 'import os, idna\nprint("three", os.environ["A"])\n',
    packages: 'idna',
    systemPackages: '',
    environment: 'A=three',
    timeout: '',
    useCache: true,
  };
  await fill(page, fresh);
  const second = await saveAndRun(page);
  expect(second).toEqual({ task: run.task, number: 2, path: `${run.task}/runs/2` });
  await expectPhase(page, 'Succeeded');
  await expect(outputLines(page)).toHaveText(['three three']);
  await page.goto(second.path);
  await openRunSettings(page);
  await expect(fact(page, 'System packages')).toHaveText('none');
  await expect(fact(page, 'Python packages')).toHaveText('idna');

  await page.goto(run.task);
  await expectForm(page, { ...fresh, name: old.name });

  await page.goto(run.path);
  await openRunSettings(page);
  await expect(page.getByRole('region', { name: 'The code as it ran' })).toContainText('one');
  await expect(fact(page, 'Python packages')).toHaveText('six==1.16.0');
  await expect(fact(page, 'System packages')).toHaveText('jq');
  await expect(fact(page, 'Environment').getByRole('listitem')).toHaveText(['A=one', 'B=1']);
  await expect(fact(page, 'Warm environments')).toContainText('not used');
});

test('what was cleared stays cleared', async ({ page, request }) => {
  const task = await makeTask(request, {
    name: uniqueName('Cleared'),
    code: 'print(1)',
    requirements: 'six\n',
    systemPackages: 'jq, python312Packages.numpy',
    environment: 'A=1',
  });
  await page.goto(`${task}/edit`);
  await expectForm(page, { systemPackages: 'jq python312Packages.numpy', requirements: 'six\n', environment: 'A=1' });
  await fill(page, { systemPackages: '', requirements: '', environment: '' });
  await saveAndRun(page);
  await expectPhase(page, 'Succeeded');
  await page.goto(`${task}/edit`);
  await expectForm(page, { systemPackages: '', requirements: '', environment: '' });
});

test('the history lists the runs, the latest first, and each leads to the others', async ({ page, request }) => {
  const name = uniqueName('History');
  const first = await makeRun(request, { name, code: 'print("1")' });
  await startRun(request, first.task);
  await page.goto(`${first.task}/edit`);
  await fill(page, { code: 'raise SystemExit(3)' });
  await saveAndRun(page, 3);
  await expectPhase(page, 'Failed');
  await page.goto(`${first.task}/runs/2`);
  await expectPhase(page, 'Succeeded');

  await page.goto(first.task);
  const rows = page.getByRole('table').getByRole('row');
  await expect(rows).toHaveText([/Phase/, /#3.*Failed/, /#2.*Succeeded/, /#1.*Succeeded/]);
  await rows.nth(2).getByRole('link', { name: '#2', exact: true }).click();
  await expectRunShown(page, 2);
  await expect(page.getByRole('heading', { name: 'Run #2' })).toBeVisible();
  const others = page.getByRole('navigation', { name: 'Runs of this task' });
  await others.getByRole('link', { name: '#3' }).click();
  await expectRunShown(page, 3);
  await page.getByText('About this run changed since #2: code +1 −1').click();
  await page.locator('#details-difference > summary').click();
  await expect(page.locator('#details-difference')).toContainText('raise SystemExit(3)');
  await others.getByRole('link', { name: '#2' }).click();
  await others.getByRole('link', { name: '#1' }).click();
  await expectRunShown(page, 1);
  await others.getByRole('link', { name: 'latest #3' }).click();
  await expectRunShown(page, 3);
  await page.getByRole('link', { name: 'Run #3', exact: true }).click();
  await expectRunPage(page, 3);

  await page.goto(`/tasks?q=${encodeURIComponent(name)}`);
  const strip = page.getByRole('list', { name: /Last runs/ });
  await expect(strip.getByRole('link')).toHaveCount(3);
  for (const [index, words] of [/#1: Succeeded/, /#2: Succeeded/, /#3: Failed/].entries()) {
    await expect(strip.getByRole('link').nth(index)).toHaveAccessibleName(words);
  }
});

test('a task is deleted after a question, with its runs', async ({ page, request, problems }) => {
  problems.expectStatus(404);
  const name = uniqueName('Deleted <b>');
  const run = await makeRun(request, { name, code: 'print(1)' });
  await page.goto(run.task);
  await page.getByRole('link', { name: 'Delete' }).click();
  await expect(page).toHaveURL(new RegExp(`${run.task}/delete$`));
  await expect(page.getByRole('heading', { level: 1 })).toHaveText(`Delete “${name}”?`);
  await page.getByRole('link', { name: 'Keep it' }).click();
  await expect(page.getByRole('heading', { level: 1, name })).toBeVisible();

  await page.getByRole('link', { name: 'Delete' }).click();
  await page.getByRole('button', { name: 'Delete task' }).click();
  await expect(page).toHaveURL(/\/tasks$/);
  await expect(page.getByRole('link', { name, exact: true })).toHaveCount(0);
  expect((await page.goto(run.task))?.status()).toBe(404);
  expect((await page.goto(run.path))?.status()).toBe(404);
});
