"""Every cap in one place."""

from __future__ import annotations

MIB = 2**20

UPLOAD_BYTES = 20 * MIB  # one picture
UPLOAD_PIXELS = 50_000_000  # 150 MB as RGB, and no ordinary camera makes more
UPLOAD_LENGTH = 65_535  # pixels, one way; no JPEG is longer
READING_SECONDS = 60.0  # that a file may take to be read, on a busy machine
READING_BYTES = 3 * 1024 * MIB
READING_KEPT_BYTES = 300 * MIB  # what has grown beyond is given back
UPLOAD_SIDE = 2048  # pixels; a start picture is kept at most this long and wide
UPLOADS_PER_OWNER = 200  # start pictures; the oldest go first
RECORDINGS_PER_OWNER = 40  # voices to be taken over, of up to 20 MB each
TEXT_BYTES = 20 * MIB  # a file whose text is to be spoken
BOOK_ENTRIES = 5000  # files in an EPUB
BOOK_PARTS = 1000  # chapters
BOOK_PART_BYTES = 8 * MIB  # one of them, unpacked
BOOK_BYTES = 48 * MIB  # all of them
BOOK_TAGS = 300_000  # of all of them
BOOK_CHARACTERS = 6_000_000  # five of the longest novels
CAPTION_CHARACTERS = 20_000
BATCHES_PER_OWNER = 100
BATCH_PICTURES = 5000
BATCH_BYTES = 4 * 1024 * MIB  # of the pictures as they came
BATCH_SIDE = 1024  # pixels; no captioner looks closer
BATCH_IN_LINE = 64  # jobs of one batch that are in line at once: enough for the widest model batch
BATCH_UNDO = 50  # changes that can be taken back
ZIP_BYTES = 2 * 1024 * MIB  # the archive itself
ZIP_ENTRIES = 10_000
ZIP_RATIO = 100  # pictures hardly pack; drawings of few colours up to this
FILES_PER_OWNER = 300_000  # 100,000 pictures in batches, each with a small one and one for models
UPLOADS_AT_ONCE_PER_OWNER = 8  # the page sends three
UPLOADS_AT_ONCE = 32
JOBS_AT_ONCE = 2 * 1000  # asked for by one owner in a burst: what fits in line, twice over; then ten a second
JOBS_PER_SECOND = 10.0
REQUEST_BYTES_AT_ONCE = 64 * MIB  # of requests, which are rows of the database: some of the longest novels
REQUEST_BYTES_PER_SECOND = 128 * 1024.0
ENDED_JOBS_PER_OWNER = 2000  # that have nothing in the gallery
ENDED_BYTES_PER_OWNER = 64 * MIB  # of their requests
OWNERS_AT_ONCE = 120  # new ones from one address: an office in the morning; then one in three seconds
OWNERS_PER_SECOND = 1 / 3
BODY_BYTES = 4 * MIB  # any other request body; a prompt of 1 MB must still get its sentence
MULTIPART_EXTRA_BYTES = 64 * 1024  # headers and boundaries around an upload
FORM_PARTS = 4  # of files, and of fields; every address takes one file and a name
FORM_FIELD_BYTES = 16 * 1024
BOUNDARY = 70  # characters between the parts of a form (RFC 2046, 5.1.1)

HEAD_SECONDS = 10.0  # from the first byte of a request's head to its last
KEEP_ALIVE_SECONDS = 75  # longer than clients keep a connection that idles, so that none is closed under a request
CONNECTIONS = 800
CONNECTIONS_PER_ADDRESS = 400  # a proxy is one address
SOCKETS_PER_OWNER = 16
SOCKET_BYTES = 64 * 1024  # of one message; the page sends none

JSON_VALUES = 100_000  # commas and brackets; the longest list that is asked for has 5,000
JSON_NAMES = 60  # of one object; no request has more fields
JSON_NAME = 100  # characters
JSON_DEPTH = 16
JSON_DIGITS = 20
JSON_NUMBER = 400  # characters of a number with a fraction

BODY_SECONDS = 20.0  # that a body may always take, and one more for each BODY_RATE bytes of it
BODY_RATE = 1024

QUESTIONS_PER_OWNER = 8  # to the worker, that are no jobs: what a picture shows, what is like a text
JOBS_PER_OWNER = 1000  # waiting and running ones
JOBS_SHOWN = 200

THUMB_BYTES = 20 * 1024
THUMB_SIDE = 384  # pixels
PAGE_SIZE = 60
MAX_PAGE_SIZE = 200
ZIP_PICTURES = 200
DELETED_AT_ONCE = 1000

SESSION_SECONDS = 400 * 24 * 3600  # the longest that browsers keep a cookie
RENEW_SECONDS = 30 * 24 * 3600  # then a browser without a login gets its cookie anew
LOGIN_SECONDS = 30 * 24 * 3600  # a login that is not used for so long is over
LOGIN_RENEW_SECONDS = 24 * 3600
LOGIN_BYTES = 16 * 1024  # a name and a password
LOGIN_TRIES = 5  # wrong passwords for one name from one address, or from one known browser, before it has to wait
LOGIN_TRIES_PER_NAME = 50  # from all browsers that are not known; then one a minute, 1,500 a day
LOGIN_WAIT_SECONDS = 60.0  # after the last wrong one, and twice as long after each further one
LOGIN_WAIT_LONGEST = 900.0
LOGIN_FORGET_SECONDS = 3600.0
CODE_SECONDS = 15 * 60  # for carrying a code from one browser to another
CODE_TRIES_AT_ONCE = 20  # from one address; then two a minute. A code is one of 10^18
CODE_TRIES_PER_SECOND = 1 / 30
LOGINS_WAITING = 64  # for their password to be compared: three seconds on two cores
LOGINS_WAITING_PER_ADDRESS = 16
