// The pages as assistive technology is told about them.

import { expectPhase, makeRun, makeTask } from '../../support/pages.ts';
import { expect, test } from '../../support/test.ts';

test('the list', async ({ page, request, ownServer }) => {
  const run = await makeRun(request, { name: 'Weekly report', code: 'print("done")' }, ownServer.url);
  await page.goto(ownServer.url + run.path);
  await expectPhase(page, 'Succeeded');
  await makeTask(request, { name: 'Draft', code: 'pass' }, ownServer.url);
  await page.goto(`${ownServer.url}/tasks`);
  await expect(page.locator('body')).toMatchAriaSnapshot(`
    - link "Skip to the content"
    - banner:
      - link "Stoker"
      - navigation "Main":
        - link "Tasks"
      - link "New task"
    - main:
      - heading "Tasks" [level=1]
      - search:
        - searchbox "Search tasks"
        - button "Search"
      - table:
        - rowgroup:
          - row:
            - columnheader "Task"
            - columnheader "Last run"
            - columnheader "History"
            - columnheader "When"
            - columnheader "Duration"
            - columnheader "Run"
        - rowgroup:
          - row:
            - cell:
              - link "Draft"
              - text: /task-/
            - cell "Not run yet"
            - cell
            - cell
            - cell
            - cell:
              - button "Run Draft"
          - row:
            - cell:
              - link "Weekly report"
              - text: /task-/
            - cell:
              - link "Succeeded"
            - cell
            - cell
            - cell
            - cell:
              - button "Run Weekly report"
    - contentinfo:
      - group "Theme":
        - button "Auto" [pressed]
        - button "Light"
        - button "Dark"
  `);
});

test('the form', async ({ page }) => {
  await page.goto('/tasks/new');
  await expect(page.getByRole('main')).toMatchAriaSnapshot(`
    - main:
      - heading "New task" [level=1]
      - region "Code and options":
        - group:
          - textbox "Name"
          - textbox "Python code"
          - textbox "Python packages"
          - textbox "System packages"
          - group: Requirements file
          - textbox "Environment variables"
          - textbox "Timeout in seconds"
          - checkbox "Use warm environments" [checked]
          - button "Save & Run"
          - button "Save"
          - link "Cancel"
          - status
      - region "Run":
        - paragraph: /Run it to see its log here/
        - list:
          - listitem:
            - link "Hello, Stoker"
          - listitem:
            - link "Sensor averages"
          - listitem:
            - link "A run that fails"
  `);
});

test('a task and a run', async ({ page, request, ownServer }) => {
  const run = await makeRun(request, { name: 'Weekly report', code: 'print("done")', environment: 'A=1' }, ownServer.url);
  await page.goto(ownServer.url + run.path);
  await expectPhase(page, 'Succeeded');
  await expect(page.getByRole('main')).toMatchAriaSnapshot(`
    - main:
      - 'heading "Weekly report run #1" [level=1]':
        - link "Weekly report"
      - paragraph:
        - text: Succeeded
      - button "Rerun"
      - link "Edit & Rerun"
      - region "Log":
        - heading "Log" [level=2]
        - text: 1 line
        - search:
          - searchbox "Search the log"
          - button "Search"
        - link "Errors"
        - button "Wrap"
        - text: Times
        - group "Times":
          - button "Off" [pressed]
          - button "Start"
          - button "Clock"
        - link "Raw"
        - link "Download"
        - log "Log of run 1":
          - link "1"
          - text: done
        - status: End of the log.
        - link "First"
        - link "Last"
        - text: Line
        - textbox "Line"
        - button "Go"
      - complementary "About this run":
        - group: /Preparation/
        - group:
          - text: Cache built
        - group: /Code and settings/
  `);
  await page.goto(ownServer.url + run.task);
  await expect(page.getByRole('main')).toMatchAriaSnapshot(`
    - main:
      - heading "Weekly report" [level=1]
      - list "In the cache, as saved"
      - button "Run"
      - link "Delete"
      - region "Code and options":
        - group:
          - textbox "Name": Weekly report
          - textbox "Python code": print("done")
          - textbox "Environment variables": A=1
          - button "Save & Run"
          - button "Save"
      - region "Run":
        - heading [level=2]:
          - 'link "Run #1"'
        - button "Rerun"
        - link "Edit & Rerun"
        - paragraph:
          - text: Succeeded
          - 'img /Preparation: \\d+ ok/'
        - region "Log":
          - log "Log of run 1":
            - text: done
        - group: /About this run/
      - region "Runs":
        - heading "Runs" [level=2]
        - table:
          - rowgroup:
            - row:
              - columnheader "Run"
              - columnheader "Phase"
              - columnheader "When"
              - columnheader "Duration"
              - columnheader "Message"
              - columnheader "Start again from it"
          - rowgroup:
            - row:
              - cell:
                - 'link "#1"'
              - cell "Succeeded"
              - cell
              - cell
              - cell
              - cell:
                - 'link "Edit & Rerun run 1"'
  `);
});
