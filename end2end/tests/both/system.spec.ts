import { expectPhase, makeRun, outputLines, uniqueName } from '../../support/pages.ts';
import { expect, test } from '../../support/test.ts';

test('the checks are made again at the press of a button', async ({ page }) => {
  await page.goto('/tasks');
  await page.getByRole('link', { name: 'System', exact: true }).click();
  await expect(page.getByRole('heading', { level: 1, name: 'System' })).toBeVisible();
  await page.getByRole('button', { name: 'Check again' }).click();
  await expect(page).toHaveURL(/\/system$/);
  const checks = page.getByRole('region', { name: 'Checks' });
  await expect(checks.getByText('Data folder', { exact: true })).toBeVisible();
  await expect(checks).toContainText('checked');
  await expect(page.getByRole('img', { name: 'Warm starts by day' })).toBeVisible();
});

test('an environment is in use while a run is in it, and can be deleted after that', async ({
  page,
  request,
  gates,
  ownServer,
}) => {
  const { url } = ownServer;
  const code = `${gates.code}print("on", flush=True)\nwait("end")`;
  const run = await makeRun(request, { name: uniqueName('Held'), code, packages: 'six==1.16.0' }, url);
  await page.goto(url + run.path);
  await expect(outputLines(page)).toHaveText(['on']);

  await page.goto(`${url}/system`);
  const row = page.getByRole('row').filter({ hasText: 'in use by a run' });
  await expect(row).toHaveCount(1);
  await expect(row.getByRole('link', { name: /^Delete/ })).toHaveCount(0);

  gates.open('end');
  await page.goto(url + run.path);
  await expectPhase(page, 'Succeeded');
  await page.goto(`${url}/system`);
  // Sizes and packages are looked at in the background, and appear by themselves.
  const counted = page.getByRole('row', { name: /^six 1\.16\.0/ });
  await expect(counted.getByRole('cell', { name: /iB$/ })).toBeVisible();
  await expect(counted.getByRole('link', { name: /^Delete/ })).toBeVisible();
  await page.getByRole('link', { name: /^Delete environment/ }).click();
  await expect(page.getByRole('heading', { level: 1, name: /^Delete environment/ })).toBeVisible();
  await page.getByRole('button', { name: 'Delete it' }).click();
  await expect(page.getByRole('status')).toHaveText('The environment was deleted.');
  await expect(page.getByText('None yet. The first run with new packages')).toBeVisible();
});
