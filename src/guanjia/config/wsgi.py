import gc
import os
from importlib import import_module

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "guanjia.config.settings")
application = get_wsgi_application()

# What is loaded now stays: a collector that walks it again and again costs a page an eighth of its time.
import_module("guanjia.config.urls")
gc.collect()
gc.freeze()
