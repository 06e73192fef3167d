import { existsSync } from 'node:fs'
import { networkInterfaces } from 'node:os'
import { join } from 'node:path'
import { isLoopback } from '@sekali/process/auth'
import { cliCommand, programs } from './repository.ts'

/** The example folds it, as it is one of `orders.*.paid`. The quickstart's is another: its figures stay what it says. */
const topic = 'orders.test.paid'

export interface Greeted {
  readonly url: string
  readonly dir: string
  readonly logDir: string
  /** What it listens on: this machine alone, unless given. */
  readonly host?: string
  readonly asksForKeys?: boolean
  /** Whether a key may be printed; so it is, unless this says no. */
  readonly showsKey?: boolean
  /** The key that this start has made. */
  readonly firstKey?: string | undefined
  /** Whether this start was given one. */
  readonly hasKey?: boolean
}

/** What a newcomer is shown once all is up: commands to be typed as they are, and where things lie. */
export function greeting(
  { url, dir, logDir, host, asksForKeys, showsKey, firstKey, hasKey }: Greeted,
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
  const isUnread = asksForKeys && firstKey === undefined && !hasKey
  const amiss = findings.map((finding) => `  ${finding}\n`).join('')
  // Not in curl's arguments, which every user of the machine can list: printf is a part of bash and zsh.
  const key = asksForKeys ? ` -H @<(printf 'authorization: Bearer %s' "$SEKALI_TOKEN")` : ''
  return `
Sekali runs on ${url}
Look at it in a browser: ${url}/
${host === undefined || isLoopback(host) ? '' : aboutOthers(url, host, asksForKeys)}${isUnread ? '\nWhat is amiss is not shown here: the doctor needs a key, in SEKALI_TOKEN.\n' : ''}${amiss && `\nWhat the doctor finds:\n\n${amiss}`}${asksForKeys ? aboutKeys(url, showsKey === false ? toMakeOne(dir) : firstKey) : ''}
Publish an event and wait until it is stored, read the log, read a state that is folded from it:

  curl -sS${key} ${url}/publish -H 'content-type: application/json' -H 'prefer: wait=5' -d '${event}'
  curl -sS${key} '${url}/events?topic=${topic}&after=0'
  curl -sS${key} ${url}/projections/${hasExample ? 'customer-totals' : 'latest'}

All figures, and how it is:

  curl -sS${key} ${url}/stats
  ${cliCommand} --url ${url} doctor

Ctrl-C stops everything. The data stay in ${dir}
Logs: ${logDir}, ${join(dir, 'redis')}, ${join(dir, 'postgres')}
What runs, and the URL of the metrics of each: ${join(dir, 'run.json')}
`
}

/** Who else can come in, and what the way does not hide. */
function aboutOthers(url: string, host: string, asksForKeys: boolean | undefined): string {
  const { port } = new URL(url)
  const isEvery = /^(?:0\.0\.0\.0|\[?::\]?)$/.test(host)
  const external = Object.values(networkInterfaces()).flatMap((all) =>
    (all ?? []).filter((one) => !one.internal),
  )
  const places = isEvery
    ? external.filter(({ family }) => family === 'IPv4').map(({ address }) => `http://${address}:${port}`)
    : [url]
  return `
Other machines can come in${places.length > 0 ? `, at ${places.join(' or ')}` : ''}. A name in place of the address
has to be in HOSTS=NAME. ${asksForKeys ? 'Keys and events' : 'Nobody is asked for a key. Events'} travel in clear text: let a proxy with TLS stand in front.
`
}

/** The program that makes the first key needs no restart: it goes to the database as its owner. */
const toMakeOne = (dir: string) => {
  const url = `JSON.parse(fs.readFileSync(${JSON.stringify(join(dir, 'run.json'))}, "utf8")).postgres.url`
  return { howToMakeOne: `DATABASE_URL="$(node -p '${url}')" node ${programs.firstKey}` }
}

/** The key alone in its line: a double click selects all of it. It is in no command, which a shell would remember. */
function aboutKeys(url: string, key: { readonly howToMakeOne: string } | string | undefined): string {
  const keep = `Type this and paste it, without the line showing up anywhere; then commands find it:

  read -rs SEKALI_TOKEN && export SEKALI_TOKEN
  printf %s "$SEKALI_TOKEN" | ${cliCommand} profile set local --url ${url} --token-file -
  ${cliCommand} profile use local`
  if (typeof key === 'object') {
    return `
Whoever comes needs a key. The first one is printed to terminals alone, because others read logs. If there is none yet:

  ${key.howToMakeOne}

${keep}
`
  }
  if (key === undefined) {
    return `
Whoever comes needs a key. Who has lost the one that may do everything starts with --replace-first-key.
Commands take a key from SEKALI_TOKEN, or from a profile:

  read -rs SEKALI_TOKEN && export SEKALI_TOKEN
`
  }
  return `
Whoever comes needs a key. This one may do everything, and it is shown this once:

${key}

${keep}
`
}
