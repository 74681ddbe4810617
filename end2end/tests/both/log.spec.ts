import { expectPhase, line, log, makeRun, outputLines, uniqueName } from '../../support/pages.ts';
import { expect, test } from '../../support/test.ts';

const MESSY = `
import sys, time
out = sys.stdout.buffer
def say(text):
    out.write(text if isinstance(text, bytes) else text.encode()); out.flush()
say("plain\\n")
say("\\x1b[31mred\\x1b[0m and \\x1b[1mbold\\x1b[0m\\n")
for percent in range(0, 101, 10):
    say(f"\\rprogress {percent}%")
say("\\n")
say("<img src=x onerror=\\"document.title='hacked'\\"><script>document.title='hacked'</script>&amp;\\n")
say("bad utf-8: \\xff|\\n".encode("latin-1"))
say("nul:\\x00 bell:\\x07 rtl:\\u202e end\\n")
say("\\x1b]0;title\\x07after the title\\n")
say("see https://example.org/a?b=1&c=2 or javascript:alert(1)\\n")
say("x" * 3000 + "\\n")
say("Grüße 🚀\\n")
say("no line end")
`;

test('output is shown as it is meant, and nothing in it is active', async ({ page, request, baseURL }) => {
  const run = await makeRun(request, { name: uniqueName('Messy'), code: MESSY });
  await page.goto(run.path);
  await expectPhase(page, 'Succeeded');
  await expect(outputLines(page)).toHaveCount(11);
  const lines = await outputLines(page).allTextContents();
  expect(lines[0]).toBe('plain');
  expect(lines[1]).toBe('red and bold');
  expect(lines[2]).toBe('progress 100%');
  expect(lines[3]).toBe(
    `<img src=x onerror="document.title='hacked'"><script>document.title='hacked'</script>&amp;`,
  );
  expect(lines[4]).toBe('bad utf-8: \ufffd|');
  expect(lines[5]).not.toMatch(/[\0\x07\u202e]/);
  expect(lines[5]).toMatch(/^nul:.+ bell:.+ rtl:.+ end$/);
  expect(lines[6]).toBe('after the title');
  expect(lines[8]).toBe('x'.repeat(3000));
  expect(lines[9]).toBe('Grüße 🚀');
  expect(lines[10]).toBe('no line end');

  await expect(log(page).locator('img, script, iframe, style')).toHaveCount(0);
  await expect(log(page).getByRole('link', { name: /example\.org/ })).toHaveAttribute('href', 'https://example.org/a?b=1&c=2');
  await expect(log(page).locator('a[href^="javascript:"]')).toHaveCount(0);
  const colour = (text: string) =>
    outputLines(page).getByText(text, { exact: true }).first().evaluate((element) => getComputedStyle(element).color);
  expect(await colour('red')).not.toBe(await colour('plain'));

  const raw = await request.get(`${baseURL}${run.path}/log`);
  expect(raw.headers()).toMatchObject({
    'content-type': 'text/plain; charset=utf-8',
    'x-content-type-options': 'nosniff',
  });
  expect(await raw.text()).toContain('<script>');
  await expect(page.getByRole('link', { name: 'Download' })).toHaveAttribute('download', '');
});

test('standard error is told apart by more than colour', async ({ page, request }) => {
  const code = 'import sys\nprint("to out", flush=True)\nprint("to err", file=sys.stderr, flush=True)';
  const run = await makeRun(request, { name: uniqueName('Streams'), code });
  await page.goto(run.path);
  await expectPhase(page, 'Succeeded');
  const words = log(page).locator('.line-text');
  await expect(words.filter({ hasText: 'to err' })).toContainText('stderr: ');
  await expect(words.filter({ hasText: 'to out' })).not.toContainText('stderr');
});

test('a link to a line of a long log shows that line', async ({ page, request }) => {
  const run = await makeRun(request, { name: uniqueName('Long'), code: 'for n in range(1, 3001): print("line", n)' });
  await page.goto(run.path);
  await expectPhase(page, 'Succeeded');
  // A page that was open meanwhile has all the lines; a new one has the last ones only.
  await page.reload();
  await expect(log(page)).toContainText('line 3000');
  const last = Number(/(\d+)/.exec((await page.locator('#log-lines .line').last().getAttribute('id')) ?? '')?.[1]);
  await expect(page.getByText('line 1', { exact: true })).toHaveCount(0);
  await page.getByRole('link', { name: 'Show earlier lines' }).click();
  await expect(page.getByText('line 1500', { exact: true })).toBeVisible();

  await page.goto(`${run.path}?line=${last - 2000}#L${last - 2000}`);
  await expect(line(page, last - 2000)).toHaveText('line 1000');
  await expect(line(page, last - 2000)).toBeInViewport();
  await page.getByRole('link', { name: 'Show later lines' }).click();
  await page.getByRole('link', { name: 'Go to the end' }).click();
  await expect(page.getByText('line 3000', { exact: true })).toBeVisible();
});

test('wrapping and times are switched on and remembered', async ({ page, request }) => {
  const run = await makeRun(request, { name: uniqueName('Switches'), code: 'print("y" * 2000)' });
  await page.goto(run.path);
  await expectPhase(page, 'Succeeded');
  const scrolls = () => log(page).evaluate((element) => element.scrollWidth > element.clientWidth);
  expect(await scrolls()).toBe(true);
  const choices: [string, RegExp?][] = [
    ['Wrap'],
    ['Start', /^\+0:\d\d\.\d{3}$/],
    ['Clock', /^\d\d:\d\d:\d\d\.\d{3}$/],
  ];
  for (const [name, times] of choices) {
    await page.getByRole('button', { name, exact: true }).click();
    await expect(page.getByRole('button', { name, exact: true })).toHaveAttribute('aria-pressed', 'true');
    await expect(page).toHaveURL(new RegExp(`${run.path}(#.*)?$`));
    const number = log(page).locator('.from-output .line-number');
    await (times ? expect(number).toHaveAttribute('data-time', times) : expect(number).not.toHaveAttribute('data-time'));
  }
  expect(await scrolls()).toBe(false);
  await page.reload();
  await expect(page.getByRole('button', { name: 'Wrap' })).toHaveAttribute('aria-pressed', 'true');
  await expect(page.getByRole('button', { name: 'Clock' })).toHaveAttribute('aria-pressed', 'true');
});

test('groups are folded when they have ended, and opened by a click', async ({ page, request }) => {
  const code = [
    'print("::group::Load"); print("one"); print("::endgroup::")',
    'print("--- Check"); print("::error::broken")',
    'print("--- Report"); print("all done")',
  ].join('\n');
  const run = await makeRun(request, { name: uniqueName('Grouped'), code });
  await page.goto(run.path);
  await expectPhase(page, 'Succeeded');
  await page.reload();
  await expect(log(page).getByText('one', { exact: true })).toBeHidden();
  await expect(log(page).getByText('Error: broken')).toBeVisible();
  await expect(log(page).getByText('all done')).toBeVisible();
  await expect(log(page)).not.toContainText(/::|---/);
  // The number of a heading is a link beside what opens the group.
  await log(page).getByRole('link', { name: /^Line \d+$/ }).first().click();
  await expect(page.locator('#log-lines .is-selected')).toHaveText(/Load/);
  await expect(page).toHaveURL(/#L\d+$/);
  await expect(log(page).getByText('one', { exact: true })).toBeHidden();
  await log(page).getByText('Load', { exact: true }).click();
  await expect(log(page).getByText('one', { exact: true })).toBeVisible();
  const raw = await request.get(`${run.path}/log`);
  expect(await raw.text()).toContain('::group::Load\none\n::endgroup::\n');
});

test('lines are chosen by the address, and gone to by their number', async ({ page, request }) => {
  const run = await makeRun(request, { name: uniqueName('Ranges'), code: 'for n in range(1, 3001): print("line", n)' });
  await page.goto(run.path);
  await expectPhase(page, 'Succeeded');
  await page.goto(`${run.path}?lines=10-12#L10`);
  await expect(line(page, 10)).toBeInViewport();
  await expect(page.locator('#log-lines .is-selected')).toHaveCount(3);
  await page.getByRole('textbox', { name: 'Line' }).fill('2500');
  await page.getByRole('button', { name: 'Go', exact: true }).click();
  await expect(line(page, 2500)).toBeInViewport();
  await expect(page.locator('#log-lines .is-selected')).toHaveCount(1);
  await page.getByRole('link', { name: 'First', exact: true }).click();
  await expect(line(page, 1)).toBeInViewport();
  await page.getByRole('link', { name: 'Last', exact: true }).click();
  await expect(log(page).getByText('line 3000', { exact: true })).toBeInViewport();
});

test('all groups of the logs of a task are opened and folded', async ({ page, request }) => {
  const code = [
    'for n in (1, 2): print(f"::group::G{n}"); print("::error::" * (n == 2) + f"in {n}"); print("::endgroup::")',
    'print("::group::Outer"); print("::group::Inner"); print("deep"); print("::endgroup::"); print("::endgroup::")',
  ].join('\n');
  const run = await makeRun(request, { name: uniqueName('Groups'), code });
  await page.goto(run.path);
  await expectPhase(page, 'Succeeded');
  await expect(log(page).getByText('in 2')).toBeVisible();
  await expect(log(page).getByText('in 1')).toBeHidden();
  const choice = page.getByRole('group', { name: 'Groups' });
  for (const [name, isOpen] of [['Open all groups', true], ['Fold all groups', false]] as const) {
    const kept = page.waitForResponse((response) => response.url().endsWith('/preferences'));
    await choice.getByRole('button', { name }).click();
    await kept;
    for (const address of [run.path, `${run.task}?run=1`]) {
      await page.goto(address);
      await expect(log(page).getByText('in 1')).toBeVisible({ visible: isOpen });
      await expect(log(page).getByText('in 2')).toBeVisible({ visible: isOpen });
      await expect(log(page).getByText('deep')).toBeVisible({ visible: isOpen });
      await expect(log(page).getByText('Inner'), 'it stands behind its sign').toHaveCSS('padding-left', '0px');
    }
  }
  const other = await makeRun(request, { name: uniqueName('Other groups'), code });
  await page.goto(other.path);
  await expectPhase(page, 'Succeeded');
  await expect(log(page).getByText('in 2'), 'it is not about other tasks').toBeVisible();
  await page.goto(run.path);
  await choice.getByRole('button', { pressed: true }).click();
  await expect(log(page).getByText('in 2')).toBeVisible();
  await expect(log(page).getByText('in 1')).toBeHidden();
});

test('a traceback names the program without the folder of its step, which is there to be searched and copied', async ({
  page,
  request,
}) => {
  const run = await makeRun(request, { name: uniqueName('Folder'), code: 'def f():\n    1 / 0\nf()' });
  await page.goto(run.path);
  await expectPhase(page, 'Failed');
  const place = log(page).getByRole('link', { name: /line 2$/ });
  await expect(place).toHaveText(/^File "\/.+\/steps\/run-.+\/work\/main\.py", line 2$/);
  const width = async () => (await place.locator('.line-folder').boundingBox())?.width ?? 0;
  expect(await width()).toBeLessThan(30);
  expect(await place.evaluate((link) => {
    getSelection()?.selectAllChildren(link);
    return getSelection()?.toString();
  })).toContain('/work/main.py", line 2');
  await page.goto(`${run.path}?q=/work/`);
  await expect(place.locator('mark')).toHaveText('/work/');
  expect(await width(), 'what was found is seen').toBeGreaterThan(100);
});
