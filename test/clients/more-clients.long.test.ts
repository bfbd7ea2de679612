// As clients.test.ts, with clients in Go and Python, whose packages are fetched first.
import { moreClients } from './more-clients.ts'
import { testClients } from './suite.ts'

testClients(moreClients)
