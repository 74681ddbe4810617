import { expectForm, expectPhase, field, fill, makeRun, outputLines, saveAndRun, uniqueName } from '../../support/pages.ts';
import { expect, test } from '../../support/test.ts';

test('without JavaScript the page renews itself beside a form that nothing can be lost from', async ({ page, gates }) => {
  await page.goto('/tasks/new');
  const code = `${gates.code}print("before", flush=True)\nwait("on")\nprint("after")`;
  await fill(page, { name: uniqueName('Beside'), code });
  await saveAndRun(page, 1);
  await expect(outputLines(page)).toHaveText(['before']);
  await expectPhase(page, 'Running');
  await expectForm(page, { code });
  await expect(page.locator('meta[http-equiv=refresh]')).toHaveCount(1);
  await expect(field(page, 'code')).toBeDisabled();

  await page.getByRole('link', { name: 'Stop that, and edit' }).click();
  await expect(field(page, 'code')).toBeEnabled();
  await fill(page, { code: `${code}  # typed` });
  gates.open('on');
  await expect(page.locator('meta[http-equiv=refresh]'), 'nothing loads the page again').toHaveCount(0);

  await saveAndRun(page, 2);
  await expect(outputLines(page)).toHaveText(['before', 'after']);
  await expectPhase(page, 'Succeeded');
  await expect(field(page, 'code')).toBeEnabled();
});

test('the progress of a run can be watched from its task', async ({ page, request, gates }) => {
  const run = await makeRun(request, { name: uniqueName('Watched'), code: `${gates.code}wait("on")\nprint("seen")` });
  await page.goto(run.task);
  await page.getByRole('link', { name: 'Show how it goes on' }).click();
  gates.open('on');
  await expect(outputLines(page)).toHaveText(['seen']);
  await expectPhase(page, 'Succeeded');
});
