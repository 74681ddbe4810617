import type { Page } from '@playwright/test';

import { expectForm, expectPhase, expectRunShown, field, fill, makeTask, outputLines, save, uniqueName } from '../../support/pages.ts';
import { expect, test } from '../../support/test.ts';

/** Opens an empty form, and waits until its live parts are there. */
async function openForm(page: Page, path = '/tasks/new'): Promise<void> {
  await page.goto(path);
  await expect(field(page, 'code')).toHaveAccessibleDescription(/Ctrl\+Enter/);
}

/** Puts the selection in the code between two places, counted from its start. */
async function select(page: Page, start: number, end = start): Promise<void> {
  await field(page, 'code').evaluate(
    (area, [start, end]) => (area as HTMLTextAreaElement).setSelectionRange(start ?? 0, end ?? 0),
    [start, end],
  );
}

test('Tab and Enter indent the code, and undo takes that back', async ({ page, problems }) => {
  problems.expect(/^dialog: beforeunload/);
  await openForm(page);
  const code = field(page, 'code');
  await code.click();
  await page.keyboard.type('if True:');
  await page.keyboard.press('Enter');
  await page.keyboard.type('for n in "\u{1f680}":');
  await page.keyboard.press('Enter');
  await page.keyboard.type('print(n)');
  await page.keyboard.press('Enter');
  await page.keyboard.press('Shift+Tab');
  await page.keyboard.press('Shift+Tab');
  await page.keyboard.type('a');
  await page.keyboard.press('Tab');
  await page.keyboard.type('= 1');
  const typed = 'if True:\n    for n in "\u{1f680}":\n        print(n)\na    = 1';
  await expect(code).toHaveValue(typed);

  // From within the second line to within the third.
  await select(page, 20, 38);
  await page.keyboard.press('Tab');
  const indented = 'if True:\n        for n in "\u{1f680}":\n            print(n)\na    = 1';
  await expect(code).toHaveValue(indented);
  await page.keyboard.press('Shift+Tab');
  await expect(code).toHaveValue(typed);
  await page.keyboard.press('Control+z');
  await expect(code).toHaveValue(indented);
  await page.keyboard.press('Control+z');
  await expect(code).toHaveValue(typed);
});

test('nobody is caught in the code: after Escape, Tab leaves it', async ({ page }) => {
  await openForm(page);
  const code = field(page, 'code');
  await code.focus();
  await page.keyboard.press('Escape');
  await page.keyboard.press('Shift+Tab');
  await expect(field(page, 'name')).toBeFocused();
  await page.keyboard.press('Tab');
  await expect(code).toBeFocused();
  await page.keyboard.press('Escape');
  await page.keyboard.press('Tab');
  await expect(field(page, 'packages')).toBeFocused();
  await expect(code).toHaveValue('');
});

test('Ctrl+Enter saves and runs, from any field', async ({ page }) => {
  for (const from of ['code', 'name'] as const) {
    await openForm(page);
    await fill(page, { name: uniqueName('By keys'), code: 'print("here")' });
    await field(page, from).click();
    await page.keyboard.press('Control+Enter');
    await expectRunShown(page, 1);
    await expectPhase(page, 'Succeeded');
    await expect(outputLines(page)).toHaveText(['here']);
  }
});

test('one is asked before leaving what was typed, and what was typed is there again', async ({ page, problems }) => {
  problems.expect(/^dialog: beforeunload/);
  await openForm(page);
  const draft = { name: 'Kept', code: 'print("kept")', packages: 'six', environment: 'A=1' };
  await fill(page, draft);
  await field(page, 'code').click();
  const asked: string[] = [];
  page.on('dialog', (dialog) => asked.push(dialog.type()));

  await page.getByRole('button', { name: 'Dark', exact: true }).click();
  await expect(page.getByRole('button', { name: 'Dark', exact: true })).toHaveAttribute('aria-pressed', 'true');
  expect(asked).toEqual(['beforeunload']);
  await page.goBack();
  await expect(field(page, 'code')).toHaveAccessibleDescription(/Ctrl\+Enter/);
  await expectForm(page, draft);

  await field(page, 'name').click();
  await page.getByRole('link', { name: 'Tasks', exact: true }).click();
  await expect(page).toHaveURL(/\/tasks$/);
  expect(asked).toEqual(['beforeunload', 'beforeunload']);
});

test('nobody is asked who changed nothing, or sends the form', async ({ page, request }) => {
  const task = await makeTask(request, { name: uniqueName('Unasked'), code: 'print(1)' });
  const asked: string[] = [];
  page.on('dialog', (dialog) => asked.push(dialog.message()));
  await openForm(page, `${task}/edit`);
  await field(page, 'code').click();
  await page.getByRole('link', { name: 'Tasks', exact: true }).click();
  await expect(page).toHaveURL(/\/tasks$/);

  await openForm(page, `${task}/edit`);
  await field(page, 'code').click();
  await page.keyboard.type('#');
  await save(page);
  await expect(page).toHaveURL(new RegExp(`${task}$`));
  expect(asked).toEqual([]);
});
