/** Opens many tails, reads them, and says so: for tests that then stop or kill the process. */
import { connect } from 'node:net'

const [url = '', topic = '', count = '0'] = process.argv.slice(2)
const { hostname, port } = new URL(url)
let heard = 0
for (let index = 0; index < Number(count); index++) {
  const socket = connect(Number(port), hostname)
  socket.write(`GET /tail?topic=${topic} HTTP/1.1\r\nHost: localhost\r\n\r\n`)
  socket.once('data', () => {
    heard += 1
    if (heard === Number(count)) process.stdout.write('all heard\n')
  })
  socket.on('data', () => {})
  socket.on('error', () => {})
}
