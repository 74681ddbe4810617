import {
  buildFlow,
  expectPhase,
  expectRunPage,
  field,
  fillStep,
  makeTask,
  save,
  saveAndRun,
  sendRefused,
  stepForm,
  uniqueName,
} from '../../support/pages.ts';
import { expect, test } from '../../support/test.ts';

const DIAMOND = [
  { name: 'Load data', code: 'write_step_output([1, 2, 3])' },
  { name: 'Sum', code: 'write_step_output(sum(read_step_output("load_data")))', after: ['Load data'] },
  { name: 'Count', code: 'write_step_output(len(read_step_output("load_data")))', after: ['Load data'] },
  {
    name: 'Report',
    code: 'print(read_step_output("sum") / read_step_output("count"))',
    after: ['Sum', 'Count'],
  },
];

test('a diamond is built from nothing, run, and edited from an old run', async ({ page }) => {
  const name = uniqueName('Diamond');
  await buildFlow(page, name, DIAMOND);
  const first = await saveAndRun(page);
  expect(first.task).toMatch(/^\/flows\/flow-/);
  await expectPhase(page, 'Succeeded');

  await page.goto(first.task);
  const steps = page.locator('.flow-steps summary');
  await expect(steps).toHaveText([/Load data/, /Sum after Load data/, /Count after Load data/, /after Sum, Count/]);
  await page.getByRole('link', { name: 'Edit', exact: true }).click();
  await fillStep(page, 3, { name: 'Report', code: 'print("as it is now")' });
  await (await stepForm(page, 2)).getByRole('button', { name: 'Remove: Count' }).click();
  await expect(page.locator('.step-form')).toHaveCount(3);
  await save(page);
  await expect(page.getByRole('status')).toHaveText('Saved.');
  await expect(steps).toHaveCount(3);

  await page.getByRole('link', { name: 'Edit & Rerun run 1' }).click();
  await expect(page.getByText('The flow has changed since this run.')).toBeVisible();
  await expect(page.locator('.step-form')).toHaveCount(4);
  const report = await stepForm(page, 3);
  await expect(report.getByLabel('Python code', { exact: true })).toHaveValue(DIAMOND[3]?.code ?? '');
  await expect(report.getByRole('checkbox', { name: 'Count', exact: true })).toBeChecked();
  await report.getByLabel('Python code', { exact: true }).fill('print("again")');
  expect(await saveAndRun(page)).toEqual({ task: first.task, number: 2, path: `${first.task}/runs/2` });
  await expectPhase(page, 'Succeeded');
});

test('a circle is refused, and nothing typed is lost', async ({ page, problems }) => {
  problems.expectStatus(422);
  await buildFlow(page, uniqueName('Circle'), [
    { name: 'A', code: 'print("a")' },
    { name: 'B', code: 'print("b")', after: ['A'] },
  ]);
  const first = await stepForm(page, 0);
  // The editor has its new name already.
  await first.getByRole('checkbox', { name: /^(Step 2|B)$/ }).check();
  await first.getByLabel('Timeout in seconds', { exact: true }).fill('7');
  expect(await sendRefused(page, 'Save')).toBe(422);
  await expect(page.getByRole('alert')).toContainText('These steps wait for each other in a circle: A → B → A.');
  await page.getByRole('alert').getByRole('link').click();
  await expect(first.getByRole('group', { name: 'Runs after' })).toBeFocused();
  await expect(first.getByLabel('Timeout in seconds', { exact: true })).toHaveValue('7');
  await expect((await stepForm(page, 1)).getByLabel('Python code', { exact: true })).toHaveValue('print("b")');
  await (await stepForm(page, 0)).getByRole('checkbox', { name: 'B', exact: true }).uncheck();
  await save(page);
  await expect(page.getByRole('status')).toHaveText('Saved.');
});

test('steps are put in from tasks, copied, and moved by buttons alone', async ({ page, request }) => {
  const title = uniqueName('Put in');
  const task = await makeTask(request, { name: title, code: 'print("task")', timeout: '9' });
  await buildFlow(page, uniqueName('Buttons'), [{ name: 'First', code: 'print(1)' }]);
  await page.getByLabel('Saved task').selectOption(task.replace('/tasks/', ''));
  await page.getByRole('button', { name: 'Insert as a step' }).click();
  await expect(page.locator('.step-form')).toHaveCount(2);
  const second = await stepForm(page, 1);
  await expect(second.getByLabel('Step name', { exact: true })).toBeFocused();
  await expect(second.getByLabel('Step name', { exact: true })).toHaveValue(title);
  await expect(second.getByLabel('Timeout in seconds', { exact: true })).toHaveValue('9');
  await second.getByRole('checkbox', { name: 'First', exact: true }).check();
  await page.getByRole('button', { name: `Duplicate: ${title}` }).click();
  await expect(page.locator('.step-form')).toHaveCount(3);
  await expect((await stepForm(page, 2)).getByRole('checkbox', { name: 'First', exact: true })).toBeChecked();
  await (await stepForm(page, 0)).getByRole('button', { name: 'Move down: First' }).click();
  // The button is still where one is, so that it can be pressed again.
  await expect(page.getByRole('button', { name: 'Move down: First' })).toBeFocused();
  await page.keyboard.press('Enter');
  await expect(page.locator('.step-form-name').last()).toHaveText('First');
  const last = await stepForm(page, 2);
  await expect(last.getByRole('button', { name: /^Move/ })).toHaveText(['Move up']);
  await expect((await stepForm(page, 0)).getByRole('button', { name: /^Move/ })).toHaveText(['Move down']);
  // Enter in a field saves, and changes nothing else.
  await field(page, 'name').press('Enter');
  await expect(page.getByRole('status')).toHaveText('Saved.');
  await expect(page.locator('.flow-steps summary')).toHaveText([/after First/, /after First/, /First begins with the run/]);
});

test('steps in the middle of many are copied, moved and removed, and all that was typed stays', async ({ page, request, problems }) => {
  problems.expectStatus(422);
  const steps = Array.from({ length: 36 }, (_, index) => ({ id: `s${index}`, name: `Step ${index}`, pythonCode: `print(${index})`, position: {} }));
  const edges = steps.slice(1).map((_, index) => ({ id: `${index}`, source: `s${index}`, target: `s${index + 1}` }));
  const made = await request.post('/api/v1/flows', { data: { name: uniqueName('Many'), steps, edges } });
  const { id } = (await made.json()) as { id: string };
  await page.goto(`/flows/${id}/edit`);
  const code = async (index: number) => (await stepForm(page, index)).getByLabel('Python code', { exact: true });
  const name = async (index: number) => (await stepForm(page, index)).getByLabel('Step name', { exact: true });
  const press = async (index: number, words: string) => {
    const count = await page.locator('.step-form').count();
    await (await stepForm(page, index)).getByRole('button', { name: words }).click();
    await expect(page.locator('.step-form')).toHaveCount(count + (words.startsWith('Duplicate') ? 1 : words.startsWith('Remove') ? -1 : 0));
  };
  await (await code(20)).fill('print("typed")');
  await (await stepForm(page, 20)).getByLabel('Use warm environments').uncheck();
  await press(3, 'Duplicate: Step 3');
  await expect(await name(4)).toBeFocused();
  // The server named it.
  const copy = await (await name(4)).inputValue();
  await press(10, 'Remove: Step 9');
  await press(1, 'Move down: Step 1');
  await expect(page.locator('.step-form-name').nth(2)).toHaveText('Step 1');
  await expect(page.getByRole('button', { name: 'Move down: Step 1', exact: true })).toBeFocused();
  await (await stepForm(page, 30)).getByLabel('Others, by name').fill(`${copy}, Nobody`);
  expect(await sendRefused(page, 'Save')).toBe(422);
  await expect(page.getByRole('alert')).toContainText('`Nobody`');
  const named = (await stepForm(page, 30)).getByLabel('Others, by name');
  await expect(named).toHaveValue(/Nobody$/);
  await named.fill('');
  await (await stepForm(page, 30)).getByLabel('Others, by name').press('Tab');
  await press(0, 'Remove: Step 0');
  await expect(page.getByRole('alert')).toHaveCount(0);
  await expect(await code(19)).toHaveValue('print("typed")');
  await expect((await stepForm(page, 19)).getByLabel('Use warm environments')).not.toBeChecked();
  await save(page);
  const names = [2, 1, 3, copy, 4, 5, 6, 7, 8, ...Array.from({ length: 26 }, (_, index) => index + 10)];
  await expect(page.locator('.flow-steps summary')).toHaveText(names.map((name) => new RegExp(`^${typeof name === 'string' ? name : `Step ${name}`} `)));
});

test('an example of a flow is one press away, and a step of it runs alone', async ({ page, ownServer }) => {
  await page.goto(`${ownServer.url}/flows`);
  await page.getByRole('button', { name: 'Run it: Sensor report' }).click();
  const run = await expectRunPage(page, 1);
  await expectPhase(page, 'Succeeded');
  await page.goto(ownServer.url + run.task);
  const report = page.locator('.flow-steps details').filter({ hasText: 'find_averages' }).last();
  await report.locator('> summary').click();
  await page.getByRole('button', { name: 'Run this step alone: Report' }).click();
  await expectRunPage(page, 2);
  await expectPhase(page, 'Succeeded');
});

test('a flow is deleted after a question, with its runs', async ({ page, problems }) => {
  problems.expectStatus(404);
  const name = uniqueName('Deleted <b>');
  await buildFlow(page, name, [{ name: 'Only', code: 'print(1)' }]);
  const run = await saveAndRun(page);
  await page.goto(run.task);
  await page.getByRole('link', { name: 'Delete' }).click();
  await expect(page.getByRole('heading', { level: 1 })).toHaveText(`Delete “${name}”?`);
  await page.getByRole('button', { name: 'Delete flow' }).click();
  await expect(page).toHaveURL(/\/flows$/);
  await expect(page.getByRole('link', { name, exact: true })).toHaveCount(0);
  expect((await page.goto(run.task))?.status()).toBe(404);
  expect((await page.goto(run.path))?.status()).toBe(404);
});
