#!/usr/bin/env node
// Plain JavaScript for any Node: `npx @sekali/cli` finds Node 24 among the dependencies and so comes here with it;
// whoever comes with an older one is brought to it by the bootstrap.
import module from 'node:module'
import { fileURLToPath } from 'node:url'

const [command] = process.argv.slice(2)
if (command === 'start' || command === 'demo') await import('../../../infra/local/bootstrap.mjs')
else if (Number.parseInt(process.versions.node, 10) >= 24) {
  // What V8 makes of the sources, types stripped, is kept beside what the bootstrap keeps: it starts in half
  // the time.
  module.enableCompileCache(fileURLToPath(new URL('../../../node_modules/.cache/compiled', import.meta.url)))
  await import('../src/main.ts')
} else {
  process.argv.splice(2, 0, 'sekali')
  await import('../../../infra/local/bootstrap.mjs')
}
