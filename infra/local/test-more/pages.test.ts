/** README.md, docs/quickstart.md, docs/subscriptions.md and docs/webhooks.md, typed in this order as a newcomer would, in a copy of the repository. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { freePort } from '@sekali/servers/free-port'
import { expect, test } from 'vitest'
import { type Step, stepsOf } from '../test/page/page.ts'
import { compare, copyOfRepository, openTerminals, type Terminals } from '../test/page/terminals.ts'

/** curl's time was up (`-m`): so ends a tail that is typed for two seconds. */
const timeUp = 28
/** The demo on a machine so busy that requests were sent again: more is accepted then, so it is typed once more. */
const hadToRetry = / [1-9][\d,]* retries$/m

test('the commands of README.md, the quickstart and the pages about subscriptions and webhooks print what they say', async () => {
  await using copy = await copyOfRepository()
  const port = String(await freePort())
  for (const page of ['README.md', 'docs/quickstart.md', 'docs/subscriptions.md', 'docs/webhooks.md']) {
    // 8080 may be in use here. Nothing else of the pages is changed.
    const text = (await readFile(join(copy.path, page), 'utf8')).replaceAll('8080', port)
    await using terminals = openTerminals(copy.path, port)
    for (const step of stepsOf(text)) await type(step, page, terminals)
  }
}, 400_000)

async function type({ line, command, output }: Step, page: string, terminals: Terminals): Promise<void> {
  const where = `${page}:${line}`
  if (command === undefined) return compare(where, 'Ctrl-C', output, await terminals.interrupt())
  if (/^npm start\b/m.test(command)) return await terminals.start(command, output, where)
  let { printed, code } = await terminals.run(command)
  for (let again = 0; again < 3 && hadToRetry.test(printed); again += 1) {
    ;({ printed, code } = await terminals.run(command))
  }
  compare(where, command, output, printed)
  expect([0, timeUp], `${where}: the exit code`).toContain(code)
}
