"""One file a tab. A new one is a module with NAME and build(room), and its line here."""

from studio.page.tabs import caption, compose, gallery, image, queue, speech

TABS = (image, speech, caption, compose, gallery, queue)
