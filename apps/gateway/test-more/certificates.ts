/** Certificates for servers of a test: what an authority of its own has signed. */
import { execFileSync } from 'node:child_process'
import { chmodSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

export interface Certificate {
  /** Path of the certificate. */
  readonly cert: string
  /** Path of its key, which all may read: servers run as users of their own. */
  readonly key: string
}

const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']

/** Makes an authority in a folder. `ca` is the path of its certificate. */
export function createAuthority(folder: string) {
  const openssl = (...args: string[]) => execFileSync('openssl', args, { cwd: folder, stdio: 'pipe' })
  const ca = join(folder, 'ca.crt')
  openssl(
    'req',
    '-x509',
    ...newKey,
    '-keyout',
    'ca.key',
    '-out',
    ca,
    '-subj',
    '/CN=Test authority',
    '-days',
    '2',
  )
  chmodSync(ca, 0o644)
  return {
    ca,
    /** `names` as in a certificate: `DNS:localhost,IP:127.0.0.1`. It expires after `days`, or has expired. */
    sign(name: string, names: string, days = 2): Certificate {
      const [cert, key] = [join(folder, `${name}.crt`), join(folder, `${name}.key`)]
      openssl('req', ...newKey, '-keyout', key, '-out', `${name}.csr`, '-subj', `/CN=${name}`)
      writeFileSync(join(folder, `${name}.ext`), `subjectAltName=${names}`)
      const signed = ['-CA', ca, '-CAkey', 'ca.key', '-CAcreateserial', '-extfile', `${name}.ext`]
      openssl('x509', '-req', '-in', `${name}.csr`, ...signed, '-days', String(days), '-out', cert)
      chmodSync(cert, 0o644)
      chmodSync(key, 0o644)
      return { cert, key }
    },
  }
}
