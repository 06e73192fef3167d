import { readFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { problems } from '../src/problems.ts'
import type { RouteSpec } from '../src/route.ts'
import { routes } from '../src/routes.ts'
import { nameOf } from '../src/words.ts'

/** The statuses of its answers and of its own problems; those that any request can get are in the page once. */
function statusesOf({ answers, problems: own }: RouteSpec): string {
  const refused = own.map((one) => (typeof one === 'string' ? problems[one][0] : one.status))
  return [...new Set([...answers.map(({ status }) => status), ...refused.sort((a, b) => a - b)])].join(', ')
}

const row = (route: RouteSpec) =>
  `| \`${nameOf(route)}\` | ${route.summary} | ${route.scope === 'none' ? '' : route.scope} | ${statusesOf(route)} |`

test('the table of docs/http-api.md is that of the routes: copy it from here when it is not', async () => {
  const page = await readFile(new URL('../../../docs/http-api.md', import.meta.url), 'utf8')
  const [, table = ''] = /<!-- the routes.*-->\n([\s\S]*?)<!-- end of the routes -->/.exec(page) ?? []
  const head = '| request | what it does | scope | answers |\n|---|---|---|---|\n'
  expect(table).toBe(`${head}${routes.map(row).join('\n')}\n`)
})
