// The flows with runs in a cluster: `make test-cluster` runs them.

import local from './playwright.config.ts';

export default {
  ...local,
  projects: local.projects?.map((project) => ({ ...project, testMatch: ['cluster/**/*.spec.ts'] })),
};
