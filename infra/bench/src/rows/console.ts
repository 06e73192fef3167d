/** What whoever looks at the console waits for, and what an open page costs the system that it shows. */
import type { Row } from '../row.ts'
import { cost, live, paint } from '../sides/console.ts'
import { lacksBrowser } from '../system/browser.ts'

const alone = { against: 'nothing', lacks: lacksBrowser, rounds: 1 } as const

export const consoleRows: readonly Row[] = [
  {
    ...alone,
    name: 'console',
    what: "first paint of the console's overview, 1,000 topics",
    unit: 'ms',
    ours: paint,
    target: { of: 'value', better: 'lower', must: 300, aim: 100 },
  },
  {
    ...alone,
    name: 'console-live',
    what: 'longest input of a live search to which 1,000 events/s come',
    unit: 'ms',
    ours: live,
    target: { of: 'value', better: 'lower', must: 100, aim: 50 },
  },
  {
    ...alone,
    name: 'console-cost',
    what: 'cores that an open overview costs gateway, Redis and PostgreSQL',
    unit: 'cores',
    ours: cost,
    target: { of: 'value', better: 'lower', must: 0.02, aim: 0.01 },
  },
]
