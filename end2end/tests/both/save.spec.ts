import {
  editAndRerun,
  expectForm,
  expectPhase,
  expectRunShown,
  field,
  fill,
  line,
  makeTask,
  openRequirements,
  outputLines,
  save,
  saveAndRun,
  sendRefused,
  uniqueName,
} from '../../support/pages.ts';
import { expect, test } from '../../support/test.ts';

test('a task is saved, and run from its page', async ({ page }) => {
  const name = uniqueName('Saved');
  await page.goto('/tasks');
  await page.getByRole('link', { name: 'New task' }).click();
  await fill(page, { name, code: 'print("first")', environment: 'A=1' });
  await save(page);

  await expect(page.getByRole('heading', { level: 1, name })).toBeVisible();
  await expect(page).toHaveURL(/\/tasks\/task-[0-9a-f]+$/);
  await expect(page.getByText('Not run yet')).toBeVisible();
  await expectForm(page, { name, code: 'print("first")', environment: 'A=1' });

  await page.getByRole('button', { name: 'Run', exact: true }).click();
  await expectRunShown(page, 1);
  await expectPhase(page, 'Succeeded');
  await expect(outputLines(page)).toHaveText(['first']);
});

test('Save & Run leads to the run, whose packages and environment are there', async ({ page }) => {
  const name = uniqueName('Saved and run');
  await page.goto('/tasks/new');
  await fill(page, {
    name,
    code: 'import os, six\nprint(six.__version__, os.environ["GREETING"])',
    packages: 'six==1.16.0',
    environment: 'GREETING= "hello" = world ',
  });
  const run = await saveAndRun(page);
  expect(run.number).toBe(1);
  await expectPhase(page, 'Succeeded');
  await expect(outputLines(page)).toHaveText(['1.16.0  "hello" = world '], { useInnerText: false });
  await page.goto(run.path);
  await page.getByText('Exact versions').click();
  await expect(page.getByRole('row', { name: 'six 1.16.0' })).toBeVisible();

  await page.goto('/tasks');
  const row = page.getByRole('row').filter({ has: page.getByRole('link', { name, exact: true }) });
  await expect(row.getByRole('link', { name: 'Succeeded', exact: true })).toBeVisible();
});

test('a task without a name is called by what its code says of itself, or by its id', async ({ page }) => {
  const words = uniqueName('Counts the words');
  await page.goto('/tasks/new');
  await fill(page, { code: `# ${words}.\nprint(1)` });
  await save(page);
  await expect(page.getByRole('heading', { level: 1, name: words, exact: true })).toBeVisible();
  await expect(page.getByLabel('Name', { exact: true })).toHaveValue('');
  await fill(page, { code: 'print(1)' });
  await save(page);
  const id = new URL(page.url()).pathname.split('/').at(-1) ?? '';
  await expect(page.getByRole('heading', { level: 1, name: id })).toBeVisible();
});

test('a refused form keeps everything that was typed', async ({ page, problems }) => {
  problems.expectStatus(422);
  const draft = {
    name: uniqueName('Refused'),
    code: '\n\n  print("</textarea><b>&amp;")  \n\n',
    packages: 'numpy nump?y',
    systemPackages: 'jq; rm',
    requirements: '# kept\nsix\n-r other.txt\n',
    environment: 'A=1\nnot a variable',
    timeout: '0',
    useCache: false,
  };
  await page.goto('/tasks/new');
  await fill(page, draft);
  expect(await sendRefused(page, 'Save')).toBe(422);

  await expect(page).toHaveTitle(/^Error: /);
  const summary = page.getByRole('alert');
  await expect(summary.getByRole('heading', { name: 'There is a problem' })).toBeVisible();
  await expect(summary.getByRole('link')).toHaveText([
    /^`nump\?y` is not a package name\./,
    /^Line 3: `-r` is not allowed/,
    /^`jq;` is not a system package name\./,
    /^Line 2: there is no `=`\./,
    /^The timeout must be a whole number/,
  ]);
  await expectForm(page, draft);
  for (const name of ['packages', 'systemPackages', 'requirements', 'environment', 'timeout'] as const) {
    await expect(field(page, name)).toHaveAttribute('aria-invalid', 'true');
    await expect(field(page, name)).toHaveAccessibleDescription(/Error: /);
  }
  await expect(field(page, 'code')).not.toHaveAttribute('aria-invalid', 'true');
  await summary.getByRole('link').first().click();
  await expect(field(page, 'packages')).toBeFocused();

  await fill(page, { packages: '', systemPackages: '', requirements: '', environment: '', timeout: '30' });
  await save(page);
  await expect(page.getByRole('heading', { level: 1, name: draft.name })).toBeVisible();
  await expectForm(page, { code: draft.code, timeout: '30', useCache: false });
});

test('versions that exclude each other are refused at the form, in the words of uv', async ({ page, problems }) => {
  problems.expectStatus(422);
  await page.goto('/tasks/new');
  const draft = { name: uniqueName('Conflict'), code: 'import six', packages: 'six==1.16.0, ==1.15.0' };
  await fill(page, draft);
  expect(await sendRefused(page, 'Save & Run')).toBe(422);
  await expect(field(page, 'packages')).toHaveAccessibleDescription(/No solution found.*six==1\.15\.0.*six==1\.16\.0/s);
  await expectForm(page, draft);
});

test('a package that does not exist is refused at the form', async ({ page, problems }) => {
  problems.expectStatus(422);
  await page.goto('/tasks/new');
  const draft = { name: uniqueName('Unknown'), code: 'pass', packages: 'stoker-tests-no-such-package-7f3a' };
  await fill(page, draft);
  expect(await sendRefused(page, 'Save')).toBe(422);
  await expect(field(page, 'packages')).toHaveAccessibleDescription(/stoker-tests-no-such-package-7f3a was not found/);
  await expectForm(page, draft);
});

test('a requirements file is pasted, or uploaded', async ({ page }) => {
  await page.goto('/tasks/new');
  await openRequirements(page);
  await page
    .getByLabel('Or upload one')
    .setInputFiles({ name: 'requirements.txt', mimeType: 'text/plain', buffer: Buffer.from('# mine\r\nsix==1.16.0\r\n') });
  await fill(page, { name: uniqueName('Upload'), code: 'import six; print(six.__version__)', packages: 'idna' });
  await saveAndRun(page);
  await expectPhase(page, 'Succeeded');
  await expect(outputLines(page)).toHaveText(['1.16.0']);
  await editAndRerun(page);
  await expectForm(page, { requirements: '# mine\nsix==1.16.0\n', packages: 'idna' });

  await fill(page, { requirements: 'six==1.15.0\n' });
  await saveAndRun(page, 2);
  await expectPhase(page, 'Succeeded');
  await expect(outputLines(page)).toHaveText(['1.15.0']);
});

test('of two people who edit at once, the second is told, and keeps what was typed', async ({ page, request, problems }) => {
  problems.expectStatus(409, 422);
  const name = uniqueName('Two people');
  const task = await makeTask(request, { name, code: 'print("old")' });
  const other = await page.context().newPage();
  await page.goto(`${task}/edit`);
  await other.goto(`${task}/edit`);

  await fill(page, { code: 'print("first")' });
  await save(page);
  await expect(page).toHaveURL(new RegExp(`${task}$`));

  const mine = { name: `${name} mine`, code: 'print("second")', environment: 'MINE=1', useCache: false };
  await fill(other, mine);
  expect([409, 422]).toContain(await sendRefused(other, 'Save'));
  await expect(other.getByRole('alert')).toContainText('Somebody else saved this task');
  await expect(other.getByRole('link', { name: /Show the other version/ })).toHaveAttribute('href', task);
  await expectForm(other, mine);
  await page.reload();
  await expectForm(page, { code: 'print("first")' });

  await save(other);
  await expect(other.getByRole('heading', { level: 1, name: mine.name })).toBeVisible();
  await other.reload();
  await expectForm(other, mine);
});

test('a run that takes longer than its time limit is stopped', async ({ page }) => {
  await page.goto('/tasks/new');
  await fill(page, {
    name: uniqueName('Slow'),
    code: 'import time\nprint("begun", flush=True)\nwhile True:\n    time.sleep(0.1)',
    timeout: '1',
  });
  await saveAndRun(page);
  await expectPhase(page, 'Failed');
  await expect(line(page, 1)).toHaveText('begun');
  await expect(page.locator('#run-summary')).toContainText(/1 s|1 second|time/i);
});
