import { PageHead } from '../components/basics.tsx'

/** Instead of any view while the gateway asks for a key. */
export function Login() {
  return <PageHead title="Log in" lead="This gateway asks for a key." />
}
