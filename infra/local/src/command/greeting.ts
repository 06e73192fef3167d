import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { cliCommand } from './repository.ts'

/** The example folds it, as it is one of `orders.*.paid`. The quickstart's is another: its figures stay what it says. */
const topic = 'orders.test.paid'

/** What a newcomer is shown once all is up: commands to be typed as they are, and where things lie. */
export function greeting(
  { url, dir, logDir }: { readonly url: string; readonly dir: string; readonly logDir: string },
  projections: string | undefined,
  findings: readonly string[] = [],
): string {
  // A new id each time: on data that are there already the same one would be a duplicate, or a conflict.
  const event = JSON.stringify({
    topic,
    event_id: `order-${Date.now().toString(36)}`,
    timestamp: new Date().toISOString(),
    source: 'shop',
    payload: { customer: 'c-1', total: 12.5 },
  })
  // The example folds such orders; without it there is what is built in.
  const hasExample = projections !== undefined && existsSync(join(projections, 'customer-totals.ts'))
  const amiss = findings.map((finding) => `  ${finding}\n`).join('')
  return `
Sekali runs on ${url}
${amiss && `\nWhat the doctor finds:\n\n${amiss}`}
Publish an event and wait until it is stored, read the log, read a state that is folded from it:

  curl -sS ${url}/publish -H 'content-type: application/json' -H 'prefer: wait=5' -d '${event}'
  curl -sS '${url}/events?topic=${topic}&after=0'
  curl -sS ${url}/projections/${hasExample ? 'customer-totals' : 'latest'}

All figures, and how it is:

  curl -sS ${url}/stats
  ${cliCommand} --url ${url} doctor

Ctrl-C stops everything. The data stay in ${dir}
Logs: ${logDir}, ${join(dir, 'redis')}, ${join(dir, 'postgres')}
What runs: ${join(dir, 'run.json')}
`
}
