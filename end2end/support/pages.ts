// The pages as a user knows them: fields by their labels, a run by its words.

import { type APIRequestContext, expect, type Locator, type Page, test } from '@playwright/test';

/** A task as typed into the form. What is left out stays as the form has it. */
export interface Draft {
  name?: string;
  code?: string;
  packages?: string;
  systemPackages?: string;
  requirements?: string;
  environment?: string;
  timeout?: string;
  useCache?: boolean;
}

/** The names of the form's texts, and their labels. */
const LABELS = {
  name: 'Name',
  code: 'Python code',
  packages: 'Python packages',
  systemPackages: 'System packages',
  requirements: 'Content of requirements.txt',
  environment: 'Environment variables',
  timeout: 'Timeout in seconds',
} as const;

type TextName = keyof typeof LABELS;

/** The control of a text of the form. */
export function field(page: Page, name: TextName): Locator {
  return page.getByLabel(LABELS[name], { exact: true });
}

export function cacheBox(page: Page): Locator {
  return page.getByRole('checkbox', { name: 'Use warm environments' });
}

/** Types into the task form. */
export async function fill(page: Page, draft: Draft): Promise<void> {
  for (const name of Object.keys(LABELS) as TextName[]) {
    const text = draft[name];
    if (text === undefined) {
      continue;
    }
    if (name === 'requirements') {
      await openRequirements(page);
    }
    await field(page, name).fill(text);
  }
  if (draft.useCache !== undefined) {
    await cacheBox(page).setChecked(draft.useCache);
  }
}

export async function openRequirements(page: Page): Promise<void> {
  if (!(await field(page, 'requirements').isVisible())) {
    await page.getByText('Requirements file', { exact: true }).click();
  }
}

/** Expects the task form to hold these values. */
export async function expectForm(page: Page, draft: Draft): Promise<void> {
  for (const name of Object.keys(LABELS) as TextName[]) {
    const text = draft[name];
    if (text !== undefined) {
      await expect(field(page, name), LABELS[name]).toHaveValue(text);
    }
  }
  if (draft.useCache !== undefined) {
    await expect(cacheBox(page)).toBeChecked({ checked: draft.useCache });
  }
}

/** Presses "Save", and waits until that is done. */
export async function save(page: Page): Promise<void> {
  await page.getByRole('button', { name: 'Save', exact: true }).click();
  await expect(page.getByRole('status').filter({ hasText: /^Saved\.$/ })).toBeVisible();
}

/** Presses "Save & Run", and answers which run is shown then. `number` tells it from one that is shown already. */
export async function saveAndRun(page: Page, number?: number): Promise<Run> {
  await page.getByRole('button', { name: /^Save & Run( again)?$/ }).click();
  return expectRunShown(page, number);
}

/** Leaves for the form filled in from the run that is shown. */
export async function editAndRerun(page: Page): Promise<void> {
  await page.getByRole('link', { name: 'Edit & Rerun', exact: true }).click();
  await expect(page).toHaveURL(/\/edit\?run=\d+$/);
}

/** Sends a form that is to be refused, and answers with which status it was. */
export async function sendRefused(page: Page, button: string | RegExp): Promise<number> {
  const answer = page.waitForResponse((response) => response.request().method() === 'POST');
  await page.getByRole('button', { name: button, exact: true }).click();
  return (await answer).status();
}

/** A run's address. */
export interface Run {
  /** The address of its task, or of its flow. */
  task: string;
  number: number;
  path: string;
}

function parseRun(address: string): Run {
  const [, task, number] = /^(\/(?:tasks|flows)\/[^/?]+)(?:\/runs\/|\?run=)(\d+)/.exec(address) ?? [];
  if (task === undefined) {
    throw new Error(`${address} is no run`);
  }
  return { path: `${task}/runs/${number}`, task, number: Number(number) };
}

/** Expects to be where a run is shown after it was started: a task's beside its code, a flow's on its page. */
export async function expectRunShown(page: Page, number?: number): Promise<Run> {
  const run = number ?? '\\d+';
  await expect(page).toHaveURL(new RegExp(`/(tasks/[^/]+\\?run=${run}(&live=1)?|flows/[^/]+/runs/${run})(#.*)?$`));
  const { pathname, search } = new URL(page.url());
  return parseRun(pathname + search);
}

/** Expects to be on a run's own page, and answers which run that is. */
export async function expectRunPage(page: Page, number?: number): Promise<Run> {
  await expect(page).toHaveURL(new RegExp(`/(tasks|flows)/[^/]+/runs/${number ?? '\\d+'}(#.*)?$`));
  return parseRun(new URL(page.url()).pathname);
}

/** Saves a task without the browser, for tests that are about something else; answers its address. */
export async function makeTask(request: APIRequestContext, draft: Draft, server = ''): Promise<string> {
  return await post(request, draft, 'save', server);
}

/** Saves a task and starts a run of it without the browser. */
export async function makeRun(request: APIRequestContext, draft: Draft, server = ''): Promise<Run> {
  return parseRun(await post(request, draft, 'save_and_run', server));
}

async function post(request: APIRequestContext, draft: Draft, intent: string, server: string): Promise<string> {
  const { name = '', code = '', packages = '', systemPackages = '', requirements = '', environment = '' } = draft;
  const response = await request.post(`${server}/tasks/new`, {
    multipart: {
      name,
      code,
      packages,
      system_packages: systemPackages,
      requirements,
      environment,
      timeout: draft.timeout ?? '',
      ...(draft.useCache === false ? {} : { use_cache: 'on' }),
      intent,
    },
    maxRedirects: 0,
  });
  expect(response.status(), await response.text()).toBe(303);
  return response.headers().location ?? '';
}

/** Waits until the flow form has its editor. */
export async function expectEditor(page: Page): Promise<void> {
  await expect(page.locator('.flow-editor.is-live')).toBeVisible();
}

/** A step's part of the flow form, opened if it is not; with the editor, chosen in the graph. */
export async function stepForm(page: Page, index: number): Promise<Locator> {
  const form = page.locator('.step-form').nth(index);
  if (test.info().project.use.javaScriptEnabled !== false) {
    await expectEditor(page);
    if (!(await form.isVisible())) {
      await page.locator(`#flow-step-${index}`).click();
    }
  }
  // Of many steps, the fields come when one is opened: with the editor by themselves.
  const open = form.getByRole('button', { name: /^Open: / });
  if (test.info().project.use.javaScriptEnabled !== false) {
    await expect(form).toHaveAttribute('open');
  } else if (await open.isVisible()) {
    await open.click();
    await expect(form).toHaveAttribute('open');
  }
  if ((await form.getAttribute('open')) === null) {
    await form.locator('> summary').click();
  }
  return form;
}

/** A step as typed into the flow form. */
export interface StepDraft {
  name: string;
  code: string;
  /** The names of the steps that it runs after. */
  after?: string[];
}

/** Types a step into the flow form. */
export async function fillStep(page: Page, index: number, { name, code, after = [] }: StepDraft): Promise<void> {
  const form = await stepForm(page, index);
  await form.getByLabel('Step name', { exact: true }).fill(name);
  await form.getByLabel('Python code', { exact: true }).fill(code);
  for (const earlier of after) {
    await form.getByRole('checkbox', { name: earlier, exact: true }).check();
  }
}

/** Makes a flow in the empty form, button by button. */
export async function buildFlow(page: Page, name: string, steps: StepDraft[]): Promise<void> {
  await page.goto('/flows/new');
  await page.getByLabel('Name', { exact: true }).fill(name);
  for (const [index, step] of steps.entries()) {
    if (index > 0) {
      await page.getByRole('button', { name: 'Add a step' }).click();
      await expect(page.locator('.step-form')).toHaveCount(index + 1);
    }
    await fillStep(page, index, step);
  }
}

/** Starts another run of a task or of a flow without the browser. */
export async function startRun(request: APIRequestContext, task: string): Promise<Run> {
  const response = await request.post(task, { form: { intent: 'run' }, maxRedirects: 0 });
  expect(response.status(), await response.text()).toBe(303);
  return parseRun(response.headers().location ?? '');
}

export type Phase = 'Pending' | 'Running' | 'Succeeded' | 'Failed' | 'Error' | 'Cancelled';

/** Waits until keys and clicks go through the log without loading it again. */
export async function expectLive(page: Page): Promise<void> {
  await expect(page.locator('#log.is-live')).toBeVisible();
}

/** Expects the run whose page is open to come to this phase. */
export async function expectPhase(page: Page, phase: Phase): Promise<void> {
  await expect(page.locator('#run-summary').getByText(phase, { exact: true })).toBeVisible({ timeout: 30_000 });
}

/** The log of the run whose page is open. */
export function log(page: Page): Locator {
  return page.getByRole('log');
}

/** A line of the log by its number. */
export function line(page: Page, number: number): Locator {
  return page.locator(`#L${number} .line-text`);
}

/** The lines that the program wrote to its standard output. */
export function outputLines(page: Page): Locator {
  return page.locator('#log-lines .from-output .line-text');
}

/** The panel of a task or run page that says what a run is made of. */
export function fact(page: Page, term: string): Locator {
  return page.getByRole('definition').and(page.locator(`dt:text-is(${JSON.stringify(term)}) + dd`));
}

/** Opens the panel of a run page that shows the code and settings as they ran. */
export async function openRunSettings(page: Page): Promise<void> {
  await page.getByText('Code and settings as they ran').click();
  await expect(page.getByRole('region', { name: 'The code as it ran' })).toBeVisible();
}

let counter = 0;

/** A name that no other task has. */
export function uniqueName(what: string): string {
  counter += 1;
  return `${what} ${process.pid}-${counter}`;
}

/** Opens an empty form, and waits until its live parts are there. */
export async function openForm(page: Page, path = '/tasks/new'): Promise<void> {
  await page.goto(path);
  await expect(field(page, 'code')).toHaveAccessibleDescription(/Ctrl\+Enter/);
}

/** Puts the selection in the code between two places, counted from its start. */
export async function select(page: Page, start: number, end = start): Promise<void> {
  await field(page, 'code').evaluate(
    (area, [start, end]) => (area as HTMLTextAreaElement).setSelectionRange(start ?? 0, end ?? 0),
    [start, end],
  );
}
