// The name of a task or of a flow, changed at the top of its page.

import { expect, test } from '../../support/test.ts';
import { expectForm, field, fill, makeTask, openForm, save, uniqueName } from '../../support/pages.ts';

const INVISIBLE = '\u200b\u200b';

test('a task gets another name, and without one the name that its code gives it', async ({ page, request, problems }, info) => {
  problems.expectStatus(422);
  const code = '# Counts words\nprint(1)';
  const task = await makeTask(request, { name: uniqueName('Old'), code });
  const hasScript = info.project.use.javaScriptEnabled !== false;
  if (hasScript) {
    await openForm(page, task);
    await page.evaluate(() => Object.assign(window, { isMarked: true }));
    await fill(page, { code: `${code}  # typed` });
  } else {
    await page.goto(task);
  }
  const title = page.getByRole('heading', { level: 1 });
  const opener = page.locator('.rename summary');
  const input = page.getByLabel('New name', { exact: true });
  const rename = async (name: string) => {
    if (!(await input.isVisible())) {
      await opener.click();
    }
    await input.fill(name);
    await input.press('Enter');
  };

  await rename(INVISIBLE);
  await expect(page.locator('#rename-error')).toContainText('no character that can be seen');
  await expect(input).toHaveValue(INVISIBLE);
  await expect(input).toBeFocused();
  const name = uniqueName('New');
  await rename(name);
  await expect(title).toHaveText(name);
  await expect(input).toBeHidden();
  await expect(page).toHaveTitle(`${name} · Stoker`);
  await expect(field(page, 'name')).toHaveValue(name);
  await rename('');
  await expect(title).toHaveText('Counts words');
  await expect(field(page, 'name')).toHaveValue('');

  if (hasScript) {
    await expect(opener).toBeFocused();
    expect(await page.evaluate(() => 'isMarked' in window), 'the page was not loaded again').toBe(true);
    await expectForm(page, { code: `${code}  # typed` });
    // What was saved in between was the name, which the form knows by now.
    await save(page);
    await expect(title).toHaveText('Counts words');
  }
});

test('a flow gets another name, and always has one', async ({ page, request, problems }) => {
  problems.expectStatus(422);
  const steps = [{ id: 'a', name: 'Load', pythonCode: 'print(1)', position: {} }];
  const flow = await request.post('/api/v1/flows', { data: { name: uniqueName('Old flow'), steps, edges: [] } });
  const { id } = (await flow.json()) as { id: string };
  await page.goto(`/flows/${id}`);
  const input = page.getByLabel('New name', { exact: true });
  await page.locator('.rename summary').click();
  await input.fill('');
  await page.getByRole('button', { name: 'Save the name' }).click();
  await expect(page.locator('#rename-error')).toContainText('Give the flow a name.');
  const name = uniqueName('New flow');
  await input.fill(name);
  await page.getByRole('button', { name: 'Save the name' }).click();
  await expect(page.getByRole('heading', { level: 1 })).toHaveText(name);
  await expect(page).toHaveTitle(`${name} · Stoker`);
  await expect(page.getByRole('region', { name: 'Steps' })).toContainText('Load');
});
