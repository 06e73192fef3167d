/** What a subscription has that is sent to an endpoint: trouble, attempts, secrets, and what can be done about them. */
import type { PushSubscription } from '@sekali/client/operate'
import { useState } from 'preact/hooks'
import { Banner } from '../../../components/basics.tsx'
import { Time } from '../../../components/time.tsx'
import { plural } from '../../../text/words.ts'
import { whyWords } from '../subscription.ts'
import { Attempts } from './attempts.tsx'
import { RotateButton, Secrets, ShownSecret } from './secrets.tsx'
import { TestButton } from './test.tsx'

interface ActionsProps {
  readonly name: string
  readonly onChanged: () => void
}

export function EndpointActions({ name, onChanged }: ActionsProps) {
  const [secret, setSecret] = useState<string>()
  return (
    <>
      <TestButton name={name} />
      <RotateButton
        name={name}
        onRotated={(made) => {
          setSecret(made)
          onChanged()
        }}
      />
      <ShownSecret name={name} secret={secret} onClose={() => setSecret(undefined)} />
    </>
  )
}

export function EndpointTrouble({ subscription }: { subscription: PushSubscription }) {
  const { state, why, state_since: since, failures, held_until: until, next_probe_at: probe } = subscription
  if (state === 'disabled') {
    return (
      <Banner tone="problem" title="Nothing is sent">
        <p>
          {why !== null && whyWords[why]} It was disabled <Time at={since} />
          {probe !== null && (
            <>
              , and is tried <Time at={probe} />
            </>
          )}
          . Nothing is lost: what comes waits until it is resumed.
        </p>
      </Banner>
    )
  }
  if (state === 'degraded') {
    return (
      <Banner tone="warning" title="It answers with failures alone">
        <p>{plural(failures, 'failure')} in a row, so it is sent one event at a time.</p>
      </Banner>
    )
  }
  if (until === null) return null
  return (
    <Banner tone="warning" title="It is left alone for a while">
      <p>
        It answered 429, 503 or the like, or fails: nothing is sent until then, <Time at={until} />.
      </p>
    </Banner>
  )
}

interface CardsProps {
  readonly subscription: PushSubscription
  readonly onChanged: () => void
}

export function EndpointCards({ subscription: { name, secrets = [] }, onChanged }: CardsProps) {
  return (
    <>
      <Attempts name={name} />
      <Secrets name={name} secrets={secrets} onChanged={onChanged} />
    </>
  )
}
