import { expectPhase, makeRun, outputLines, uniqueName } from '../../support/pages.ts';
import { expect, test } from '../../support/test.ts';

test('without JavaScript the page of a run renews itself until the run has ended', async ({ page, request, gates }) => {
  const run = await makeRun(request, {
    name: uniqueName('Renewed'),
    code: `${gates.code}print("before", flush=True)\nwait("on")\nprint("after")`,
  });
  await page.goto(run.path);
  await expect(outputLines(page)).toHaveText(['before']);
  await expectPhase(page, 'Running');
  gates.open('on');
  await expect(outputLines(page)).toHaveText(['before', 'after']);
  await expectPhase(page, 'Succeeded');
  expect(await (await request.get(run.path)).text()).not.toContain('http-equiv="refresh"');
});
