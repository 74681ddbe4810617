// What is measured in a browser: `make bench` runs it, and prints what it says.

import local from './playwright.config.ts';

export default {
  ...local,
  workers: 1,
  projects: local.projects
    ?.filter((project) => project.name === 'js')
    .map((project) => ({ ...project, testMatch: ['bench/**/*.spec.ts'] })),
};
