import { makeTask, uniqueName } from '../../support/pages.ts';
import { expect, test } from '../../support/test.ts';

test('tasks are found by name, id, code and package', async ({ page, request }) => {
  const word = `needle${process.pid}x${Date.now()}`;
  const name = uniqueName(`Findable ${word}`);
  const task = await makeTask(request, { name, code: `print("${word}code")`, packages: 'idna==3.7' });
  const noise = uniqueName('Noise');
  await makeTask(request, { name: noise, code: 'pass' });
  const id = task.split('/').at(-1) ?? '';

  await page.goto('/tasks');
  for (const text of [word, word.toUpperCase(), id, `${word}code`, 'idna==3.7']) {
    await page.getByRole('searchbox', { name: 'Search tasks' }).fill(text);
    await page.getByRole('button', { name: 'Search', exact: true }).click();
    await expect(page).toHaveURL(/\?q=/);
    await expect(page.getByRole('searchbox')).toHaveValue(text);
    await expect(page.getByRole('link', { name, exact: true })).toBeVisible();
    await expect(page.getByRole('link', { name: noise, exact: true })).toHaveCount(0);
  }
  await page.getByRole('link', { name: 'Clear' }).click();
  await expect(page.getByRole('link', { name: noise, exact: true })).toBeVisible();
});

test('a search for anything is harmless', async ({ page, request }) => {
  await makeTask(request, { name: uniqueName('Some task'), code: 'pass' });
  await page.goto('/tasks');
  for (const noise of [`%`, `'; drop table tasks; --`, '<script>alert(1)</script>', '\\', '"', '🚀 ä', 'a&b=c#d+e']) {
    // With a word that no task has: the noise alone may well stand in one.
    const text = `${noise} ${uniqueName('nothing')}`;
    await page.getByRole('searchbox', { name: 'Search tasks' }).fill(text);
    await page.getByRole('button', { name: 'Search', exact: true }).click();
    await expect(page.getByRole('searchbox')).toHaveValue(text);
    await expect(page.getByText('No task matches')).toContainText(text);
  }
});
