import { Button } from '../components/basics.tsx'
import { Name } from '../components/name.tsx'
import { Time } from '../components/time.tsx'
import { useAction } from '../http/use-action.ts'
import { logOut, session } from '../session/session.ts'

/** Who one is, and the way out; nothing where nobody is asked for a key. */
export function Account() {
  const { run, isBusy } = useAction(logOut)
  const who = session.value
  if (who === undefined || who.auth === 'off') return null
  return (
    <section class="account" aria-label="Your session">
      <p>
        Key <Name of={who.holder ?? ''} />
      </p>
      <p class="faint">
        {who.scopes.join(', ')} · <span class="mono">{who.topics.join(' ')}</span>
      </p>
      {who.until && (
        <p class="faint">
          ends <Time at={who.until} />
        </p>
      )}
      <Button busy={isBusy} onClick={() => run()}>
        Log out
      </Button>
    </section>
  )
}
