import {
  editAndRerun,
  expectForm,
  expectPhase,
  fill,
  makeRun,
  outputLines,
  saveAndRun,
  sendRefused,
  uniqueName,
} from '../../support/pages.ts';
import { expect, test } from '../../support/test.ts';

const call = (program: string) =>
  `import subprocess\nprint(subprocess.run(["${program}"], capture_output=True, text=True).stdout, end="")\n`;

test('a task gets its system packages, and a rerun from an older run those of that run', async ({ page }) => {
  await page.goto('/tasks/new');
  const first = { name: uniqueName('System packages'), code: call('hello'), systemPackages: 'hello tools.nested' };
  await fill(page, first);
  const run = await saveAndRun(page);
  await expectPhase(page, 'Succeeded');
  await expect(outputLines(page)).toHaveText(['hello from the store']);
  await expect(page.locator('#details-cache')).toContainText('Nix: package setbuilt');

  await page.goto(run.task);
  await expect(page.getByText('system packages ready')).toBeVisible();
  await expect(page.getByText('environment ready')).toBeVisible();

  await page.goto(`${run.task}/edit`);
  await fill(page, { code: call('goodbye'), systemPackages: 'goodbye' });
  await expect(page.getByText('system packages ready')).toBeVisible();
  await saveAndRun(page, 2);
  await expectPhase(page, 'Succeeded');
  await expect(outputLines(page)).toHaveText(['goodbye from the store']);

  await page.goto(run.path);
  await editAndRerun(page);
  await expectForm(page, { ...first });
  await saveAndRun(page, 3);
  await expectPhase(page, 'Succeeded');
  await expect(outputLines(page)).toHaveText(['hello from the store']);
  await expect(page.locator('#details-cache')).toContainText('Nix: package setready');
});

test('clearing the field clears the packages', async ({ page, request }) => {
  const run = await makeRun(request, {
    name: uniqueName('Cleared'),
    code: call('hello'),
    systemPackages: 'hello',
  });
  await page.goto(`${run.task}/edit`);
  await fill(page, { code: 'print("none")', systemPackages: '' });
  await saveAndRun(page, 2);
  await expectPhase(page, 'Succeeded');
  await page.goto(run.task);
  await expectForm(page, { systemPackages: '' });
  await expect(page.getByText('system packages ready')).toHaveCount(0);
});

test('a name that does not work is refused with the one that does', async ({ page, problems }) => {
  problems.expectStatus(422);
  await page.goto('/tasks/new');
  await fill(page, { code: 'print(1)', systemPackages: 'gcc make' });
  await sendRefused(page, 'Save & Run');
  await expect(page.getByText('`make` is called `gnumake` in Nix. Write that.').first()).toBeVisible();
  await expect(page.getByRole('textbox', { name: 'System packages' })).toHaveValue('gcc make');
});

test('the checkpoints of a run that failed lead to what to do', async ({ page, request }) => {
  const run = await makeRun(request, {
    name: uniqueName('Unknown package'),
    code: 'print(1)',
    systemPackages: 'goodbye hell',
  });
  await page.goto(run.path);
  await expectPhase(page, 'Failed');
  await expect(page.locator('#run-summary')).toContainText('Near names: hello');
  const preparation = page.locator('#details-preparation');
  await expect(preparation).toHaveAttribute('open', '');
  const failed = preparation.locator('li.is-failed');
  await expect(failed).toHaveCount(1);
  await expect(failed.getByText('System packages')).toBeVisible();
  await expect(failed.locator('.checkpoint-tail')).toContainText('does not provide attribute');
  await expect(preparation.locator('li.is-ok').first().locator('details')).not.toHaveAttribute('open', '');
  await expect(preparation.getByText('security').first()).toBeVisible();
  await failed.getByRole('link', { name: 'More about this' }).click();
  await expect(page).toHaveURL(/\/help\/troubleshooting#nix-unknown-package$/);
  await expect(page.getByRole('heading', { name: 'nix-unknown-package' })).toBeInViewport();
});
