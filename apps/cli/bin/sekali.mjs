#!/usr/bin/env node
// Plain JavaScript for any Node: `npx sekali` finds Node 24 among the dependencies and so comes here with it;
// whoever comes with an older one is brought to it by the bootstrap.
if (Number.parseInt(process.versions.node, 10) >= 24) {
  await import('../src/main.ts')
} else {
  process.argv.splice(2, 0, 'sekali')
  await import('../../../infra/local/bootstrap.mjs')
}
