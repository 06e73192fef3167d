/** Subscriptions: what several workers work off together. */
import type { Command } from 'commander'
import type { Surroundings } from '../context.ts'
import { addControl } from './subscription/control.ts'
import { addCreate } from './subscription/create.ts'
import { addEndpoint } from './subscription/endpoint.ts'
import { addPull } from './subscription/pull.ts'
import { addShow } from './subscription/show.ts'

export function addSubscription(program: Command, surroundings: Surroundings): void {
  const subscription = program
    .command('subscription')
    .summary('work off a topic or a pattern with several workers, or have its events sent')
    .description(
      'Makes subscriptions, shows how far they are, works off events or has them sent to an endpoint, and has a subscription ' +
        'pause, begin anew or end. What could not be done, or delivered, is among the dead letters: sekali dead-letter list --kind delivery.',
    )
    .addHelpText(
      'after',
      `
Examples:
  $ sekali subscription create mailer --topics 'orders.>' --from start --order source
  $ sekali subscription pull mailer --exec './send-mail' --concurrency 4
  $ sekali subscription show mailer
  $ sekali subscription seek mailer --from 2h --dry-run
  $ sekali subscription delete mailer
  $ sekali subscription create shop --topics 'orders.>' --to https://shop.example/hooks --out shop.secret
  $ sekali subscription test shop
  $ sekali subscription attempts shop --state failed
`,
    )
  for (const add of [addCreate, addShow, addPull, addControl, addEndpoint]) add(subscription, surroundings)
}
