#!/usr/bin/env node
// `npx millrace` in the repository, on any Node from 20: the command line on the runtime that `npm start` takes.
process.argv.splice(2, 0, 'millrace')
await import('./run.mjs')
