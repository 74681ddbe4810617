import { execFileSync } from 'node:child_process';

import { expectPhase, line, makeRun, uniqueName } from '../../support/pages.ts';
import { expect, test } from '../../support/test.ts';

/** A program that starts another one; each says its process id, and neither ends. */
const FAMILY = `
import os, subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time\\nwhile True: time.sleep(1)"])
print(os.getpid(), child.pid, flush=True)
while True:
    time.sleep(1)
`;

test('a run is cancelled with everything it started, and its log is kept', async ({ page, request }) => {
  const run = await makeRun(request, { name: uniqueName('Cancelled'), code: FAMILY });
  await page.goto(run.path);
  await expect(line(page, 1)).toHaveText(/^\d+ \d+$/);
  const processes = (await line(page, 1).innerText()).split(' ').map(Number);
  expect(processes.map(isAlive)).toEqual([true, true]);

  await page.getByRole('button', { name: 'Cancel', exact: true }).click();

  await expectPhase(page, 'Cancelled');
  await expect(line(page, 1)).toHaveText(processes.join(' '));
  await expect(page.getByRole('button', { name: 'Cancel', exact: true })).toHaveCount(0);
  await expect.poll(() => processes.map(isAlive)).toEqual([false, false]);
  await expect(page.getByRole('button', { name: 'Rerun', exact: true })).toBeVisible();
});

test('a run that has ended cannot be cancelled, and says so', async ({ page, request }) => {
  const run = await makeRun(request, { name: uniqueName('Ended'), code: 'print(1)' });
  await page.goto(run.path);
  await expectPhase(page, 'Succeeded');
  await page.goto(`${run.path}/cancel`);
  await expect(page.getByText('There is nothing to cancel')).toBeVisible();
});

function isAlive(process: number): boolean {
  try {
    // A zombie has ended, too.
    return !execFileSync('ps', ['-o', 'stat=', '-p', String(process)]).toString().startsWith('Z');
  } catch {
    return false;
  }
}
