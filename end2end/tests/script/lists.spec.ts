import { expectPhase, makeRun, makeTask, uniqueName } from '../../support/pages.ts';
import { expect, test } from '../../support/test.ts';

test('the list of tasks shows a run that somebody else starts, and its end', async ({ page, request, gates }) => {
  const name = uniqueName('Shared');
  const task = await makeTask(request, { name, code: `${gates.code}wait("end")` });
  await page.goto(`/tasks?q=${encodeURIComponent(name)}`);
  const row = page.getByRole('row', { name });
  await expect(row).toContainText('Not run yet');
  // Whoever works with the keyboard stays where they are.
  await row.getByRole('button').focus();
  await request.post(task, { form: { intent: 'run' } });
  await expect(row).toContainText('Running');
  await expect(row.getByRole('button')).toBeFocused();
  gates.open('end');
  await expect(row).toContainText('Succeeded');
  await expect(row.getByRole('button')).toBeFocused();
});

test('what is ticked stays ticked when the list of runs renews itself', async ({ page, request, gates }) => {
  const name = uniqueName('Ticked');
  const code = `${gates.code}wait("end")`;
  const first = await makeRun(request, { name, code });
  await page.goto(first.path);
  await expectPhase(page, 'Running');
  await page.goto(`/runs?q=${encodeURIComponent(name)}`);
  const box = page.getByRole('checkbox', { name: `Choose run #1 of ${name}`, exact: true });
  await box.check();
  const second = await makeRun(request, { name: `${name} too`, code });
  await expect(page.getByRole('checkbox', { name: `Choose run #1 of ${name} too` })).toBeVisible();
  await expect(box).toBeChecked();
  await page.getByRole('button', { name: 'Cancel chosen runs…' }).click();
  await expect(page.getByRole('main')).toContainText(name);
  await expect(page.getByRole('main')).not.toContainText(`${name} too`);
  gates.open('end');
  await page.goto(second.path);
  await expectPhase(page, 'Succeeded');
});
