import type { Page } from '@playwright/test';

import { expectPhase, field, makeRun, makeTask, uniqueName } from '../../support/pages.ts';
import { expect, test } from '../../support/test.ts';

/** Opens a page, and waits until its keys do something. */
async function open(page: Page, path: string): Promise<void> {
  await page.goto(path);
  await expect(page.getByRole('button', { name: 'Keyboard' })).toBeVisible();
}

test('keys lead through the site', async ({ page }) => {
  await open(page, '/tasks');
  for (const [key, path] of [['r', '/runs'], ['s', '/system'], ['f', '/flows'], ['t', '/tasks']] as const) {
    await page.keyboard.press('g');
    await page.keyboard.press(key);
    await expect(page).toHaveURL(new RegExp(`${path}$`));
    await expect(page.getByRole('button', { name: 'Keyboard' })).toBeVisible();
  }
});

test('a list is gone through, a task edited and run, by keys alone', async ({ page, request, ownServer }) => {
  const names = ['First', 'Second'];
  for (const name of names) {
    await makeTask(request, { name, code: 'print(1)' }, ownServer.url);
  }
  await open(page, `${ownServer.url}/tasks`);
  const link = (name: string) => page.getByRole('link', { name, exact: true });
  await page.keyboard.press('j');
  await expect(link('Second')).toBeFocused();
  await page.keyboard.press('j');
  await page.keyboard.press('j');
  await expect(link('First')).toBeFocused();
  await page.keyboard.press('k');
  await expect(link('Second')).toBeFocused();
  await page.keyboard.press('Enter');
  await expect(page.getByRole('heading', { name: 'Second' })).toBeVisible();
  await expect(page.getByRole('button', { name: 'Keyboard' })).toBeVisible();
  await page.keyboard.press('e');
  await expect(field(page, 'code')).toBeFocused();
  await page.getByRole('heading', { name: 'Second' }).click();
  await page.keyboard.press('r');
  await expectPhase(page, 'Succeeded');
});

test('no key does anything while one types, or with another key', async ({ page, request, ownServer }) => {
  await makeTask(request, { name: 'Alone', code: 'print(1)' }, ownServer.url);
  await open(page, `${ownServer.url}/tasks`);
  await page.keyboard.press('/');
  const search = page.getByRole('searchbox');
  await expect(search).toBeFocused();
  await page.keyboard.type('gt?.jk/');
  await expect(search).toHaveValue('gt?.jk/');
  await expect(page.getByRole('dialog')).toHaveCount(0);
  await search.blur();
  await page.keyboard.press('Alt+.');
  await expect(page.getByRole('dialog')).toHaveCount(0);
});

test('the list of keys opens by key and by button, and gives the focus back', async ({ page }) => {
  await open(page, '/system');
  const button = page.getByRole('button', { name: 'Keyboard' });
  await button.focus();
  await page.keyboard.press('?');
  const keys = page.getByRole('dialog', { name: 'Keyboard' });
  await expect(keys).toContainText('Next and previous row');
  await page.keyboard.press('g');
  await page.keyboard.press('Escape');
  await expect(keys).toBeHidden();
  await expect(button).toBeFocused();
  await button.click();
  await keys.getByRole('button', { name: 'Close' }).click();
  await expect(keys).toBeHidden();
});

test('commands are found by name and pressed', async ({ page, request }) => {
  const run = await makeRun(request, { name: uniqueName('Commanded'), code: 'print(1)' });
  await page.goto(run.path);
  await expectPhase(page, 'Succeeded');
  await open(page, run.path);
  await page.keyboard.press('.');
  const search = page.getByRole('combobox', { name: 'Find a command' });
  await expect(search).toBeFocused();
  await expect(page.getByRole('option', { name: /^Rerun/ })).toBeVisible();
  await page.keyboard.type('no such thing');
  await expect(page.getByRole('option')).toHaveText('No command has these words.');
  await page.keyboard.press('Enter');
  await search.fill('theme');
  await expect(page.getByRole('option')).toHaveText(['Theme: Auto', 'Theme: Light', 'Theme: Dark']);
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('ArrowUp');
  await expect(page.getByRole('option', { selected: true })).toHaveText('Theme: Light');
  await page.keyboard.press('Enter');
  await expect(page.locator('html')).toHaveAttribute('data-theme', 'light');

  await expect(page.getByRole('button', { name: 'Commands' })).toBeVisible();
  await page.getByRole('button', { name: 'Commands' }).click();
  await search.fill('edit rerun');
  await page.getByRole('option').click();
  await expect(page).toHaveURL(/\/edit\?run=1$/);
});
