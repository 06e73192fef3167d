import { Banner } from '../../components/basics.tsx'
import { CopyButton } from '../../components/copy-button.tsx'

const command = 'SEKALI_AUTH=keys npm start'

/** Why there is no login, and how there would be one. */
export function KeysAreOff() {
  return (
    <Banner tone="unknown" title="This gateway asks nobody for a key">
      <p>
        So anybody who reaches it may do everything, and none can be made here: a stranger could make one and
        keep it. To ask for keys, start it with
      </p>
      <p class="command">
        <code>{command}</code> <CopyButton text={command} of="the command" />
      </p>
      <p>
        The first start prints a key that may do everything, once. With docker compose, set{' '}
        <code>SEKALI_AUTH=keys</code> in <code>.env</code>; <code>docker compose run --rm first-key</code>{' '}
        prints the first key. Where you run the parts yourself, it is <code>npm run -s first-key</code>.
      </p>
    </Banner>
  )
}
