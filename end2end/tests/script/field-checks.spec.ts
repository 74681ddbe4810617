import { field, fill, sendRefused } from '../../support/pages.ts';
import { expect, test } from '../../support/test.ts';

test('a field says what is wrong as soon as one goes on, and no longer once it is mended', async ({ page }) => {
  await page.goto('/tasks/new');
  const packages = field(page, 'packages');
  const message = page.getByText('`>>1` does not compare versions');
  // The page is there before its live parts are.
  await expect(async () => {
    await packages.fill('six>>1');
    await field(page, 'systemPackages').focus();
    await expect(message).toBeVisible({ timeout: 500 });
  }).toPass();
  await expect(packages).toHaveAttribute('aria-invalid', 'true');
  await expect(packages).toHaveAccessibleDescription(/Error: .*>>1/);

  await packages.fill('six>1');
  await expect(message).toBeHidden();
  await expect(packages).not.toHaveAttribute('aria-invalid');
  await expect(packages).toHaveAccessibleDescription(/^Separated by spaces/);

  await field(page, 'systemPackages').fill('make');
  await field(page, 'name').focus();
  await expect(page.getByText('`make` is called `gnumake` in Nix. Write that.')).toBeVisible();
});

test('of what the server said, only what it alone can judge stays while the field is changed', async ({ page, problems }) => {
  problems.expectStatus(422);
  await page.goto('/tasks/new');
  await fill(page, { code: 'print(1)', packages: 'six==0.0.1', systemPackages: '$(x)' });
  expect(await sendRefused(page, 'Save')).toBe(422);
  const message = page.locator('#system_packages-error');
  await expect(message).toContainText('is not a system package name');
  await expect(async () => {
    await field(page, 'systemPackages').fill('git');
    await expect(message).toBeHidden({ timeout: 500 });
  }).toPass();

  expect(await sendRefused(page, 'Save')).toBe(422);
  const conflict = page.locator('#packages-error');
  await expect(conflict).toContainText('six==0.0.1');
  await field(page, 'packages').fill('six');
  await field(page, 'name').focus();
  await expect(conflict).toBeVisible();
});
