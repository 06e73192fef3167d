import { useState } from 'preact/hooks'
import { Button, Card, PageHead } from '../components/basics.tsx'
import { Field } from '../components/field.tsx'
import { ProblemBanner } from '../components/problem-banner.tsx'
import { useAction } from '../http/use-action.ts'
import { logIn } from '../session/session.ts'

/** Instead of any view while the gateway asks for a key. The URL stays, and its view comes behind the login. */
export function Login() {
  const [key, setKey] = useState('')
  const { run, isBusy, problem } = useAction(async () => {
    await logIn(key.trim())
  })
  return (
    <div class="login">
      <PageHead title="Log in" lead="This gateway asks for a key." />
      <Card title="With a key">
        <form
          class="stack"
          onSubmit={(event) => {
            event.preventDefault()
            run()
          }}
        >
          <Field
            label="Key"
            type="password"
            value={key}
            onValue={setKey}
            placeholder="sekali_…"
            hint="The browser gets a cookie for it that no script can read; the page itself keeps nothing."
            mono
            required
            autoFocus
          />
          <ProblemBanner problem={problem} title="This key does not open it" />
          <div class="form-buttons">
            <Button type="submit" kind="primary" busy={isBusy}>
              Log in
            </Button>
          </div>
        </form>
      </Card>
      <p class="faint">
        No key? Whoever started the gateway has the first one: <code>npm start</code> prints it at the
        terminal, <code>docker compose run --rm first-key</code> otherwise. See <code>sekali key create</code>
        .
      </p>
    </div>
  )
}
